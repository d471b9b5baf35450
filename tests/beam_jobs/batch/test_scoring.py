"""The whole job on real births: exact rows, exact accounts."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from beam_jobs.runs.dead_letter import DEAD_LETTER_COLUMNS
from examples.babyweight.births import load_births
from examples.babyweight.nights import HEADER, make_night
from tests.support.scored_night import SCORE_DATE, NightFolder, Scored

INPUT_COLUMNS = HEADER.split(",")


def births_csv(births: pd.DataFrame) -> bytes:
    return births.to_csv(index=False).encode()


def assert_accounts_add_up(scored: Scored) -> None:
    manifest = scored.manifest
    ranges = [count for source in manifest.sources for count in source.ranges]
    assert manifest.rows_in == manifest.rows_scored + manifest.rows_dead
    assert all(count.rows_in == count.rows_scored + count.rows_dead for count in ranges)
    assert sum(count.rows_in for count in ranges) == manifest.rows_in
    assert sum(manifest.summary.dead_by_code.values()) == manifest.rows_dead
    assert sum(file.rows for file in manifest.predictions) == manifest.rows_scored
    assert sum(file.rows for file in manifest.dead_letters) == manifest.rows_dead
    for source in manifest.sources:
        edges = [(count.start, count.end) for count in source.ranges]
        assert edges[0][0] == 0
        assert edges[-1][1] == source.object.size
        assert all(this[1] == after[0] for this, after in itertools.pairwise(edges))


def test_every_birth_gets_what_the_model_alone_would_say(night: NightFolder) -> None:
    births = load_births()
    parts = {"a.csv": births[:700], "b.csv": births[700:]}
    paths = {name: night.write(name, births_csv(part)) for name, part in parts.items()}

    scored = night.score()

    rows = scored.predictions
    pd.testing.assert_frame_equal(rows[INPUT_COLUMNS], births[INPUT_COLUMNS], check_dtype=False)
    np.testing.assert_allclose(rows["predicted_weight_pounds"], night.expected(births))
    assert rows["source_uri"].tolist() == [str(paths["a.csv"])] * 700 + [str(paths["b.csv"])] * 749
    assert set(rows["model_version"]) == {"v1"}
    assert set(rows["run_key"]) == {scored.plan.run_key}
    assert set(rows["score_date"]) == {SCORE_DATE}
    assert scored.manifest.job_name == "test-job"
    assert_accounts_add_up(scored)


def test_a_prediction_says_where_in_its_file_the_row_stands(night: NightFolder) -> None:
    births = load_births()
    content = night.write("a.csv", births_csv(births)).read_bytes()

    for row in night.score().predictions.itertuples():
        line = content[row.source_position :].split(b"\n", 1)[0]
        assert line.decode().endswith(f",{row.key}")


def test_output_columns_stand_in_the_order_of_the_tables(night: NightFolder) -> None:
    (file,) = night.score().manifest.predictions
    assert pq.read_schema(file.uri).names == [
        "score_date",
        *INPUT_COLUMNS,
        "predicted_weight_pounds",
        *("deployed_model_id", "model_version", "scored_at", "run_key"),
        *("source_uri", "source_position"),
    ]


def test_labels_are_plain_strings_in_the_files(night: NightFolder) -> None:
    night.write("a.csv", births_csv(load_births()))
    (file,) = night.score().manifest.predictions
    types = {field.name: str(field.type) for field in pq.read_schema(file.uri)}
    assert types["run_key"] == types["source_uri"] == types["model_version"] == "string"
    assert types["scored_at"] == "timestamp[us, tz=UTC]"
    assert types["score_date"] == "date32[day]"


def test_broken_rows_become_dead_letters_with_their_reason(night: NightFolder) -> None:
    made = make_night(date(2026, 1, 1), births=300, broken=3)
    for name, content in made.files.items():
        night.write(name, content)

    scored = night.score()

    manifest, dead = scored.manifest, scored.dead_letters
    assert (manifest.rows_in, manifest.rows_scored) == (made.rows, made.scored)
    assert manifest.summary.dead_by_code == made.dead
    assert dead["error_code"].value_counts().to_dict() == made.dead
    assert tuple(dead.columns) == DEAD_LETTER_COLUMNS
    assert set(dead["model_version"]) == {"v1"}
    for row in dead.itertuples():
        assert Path(row.source_uri).read_bytes()[row.source_position :].startswith(row.payload)
    assert_accounts_add_up(scored)


def test_beams_counters_say_what_the_manifest_says(night: NightFolder) -> None:
    made = make_night(date(2026, 1, 1), births=50, broken=2, files=1)
    night.write("a.csv", made.files["part-0.csv"])

    scored = night.score()

    manifest, counters = scored.manifest, scored.counters
    files = (*manifest.predictions, *manifest.dead_letters)
    assert counters == {
        "rows_in": manifest.rows_in,
        "rows_scored": manifest.rows_scored,
        "rows_dead": manifest.rows_dead,
        **{f"rows_dead_{code}": rows for code, rows in made.dead.items()},
        # Two steps write files; a counter is one per step.
        "files": 1,
        "bytes": counters["bytes"],
    }
    assert counters["bytes"] in {file.size for file in files}


def test_small_ranges_and_batches_give_the_same_rows(night: NightFolder) -> None:
    many = pd.concat([load_births()] * 5, ignore_index=True)
    night.write("a.csv", births_csv(many))

    whole = night.score()
    pieces = night.score(job={"split_bytes": 65_536}, model={"batch_rows": 100})

    assert len(whole.manifest.sources[0].ranges) == 1
    assert len(pieces.manifest.sources[0].ranges) > 3
    unlike = ["scored_at", "run_key"]
    pd.testing.assert_frame_equal(
        whole.predictions.drop(columns=unlike), pieces.predictions.drop(columns=unlike)
    )
    assert whole.manifest.summary == pieces.manifest.summary
    assert_accounts_add_up(pieces)


def test_files_of_one_name_in_two_folders_are_two_sources(night: NightFolder) -> None:
    births = load_births()
    night.write("east/a.csv", births_csv(births[:10]))
    night.write("west/a.csv", births_csv(births[10:30]))

    scored = night.score()

    rows = {source.object.uri: source.ranges[0].rows_in for source in scored.manifest.sources}
    assert list(rows.values()) == [10, 20]
    assert scored.predictions["source_uri"].value_counts().to_dict() == rows


def test_a_night_of_files_without_rows_writes_empty_files(night: NightFolder) -> None:
    night.write("a.csv", HEADER.encode() + b"\n")

    scored = night.score()

    assert scored.manifest.rows_in == 0
    (source,) = scored.manifest.sources
    assert [(count.rows_in, count.end) for count in source.ranges] == [(0, source.object.size)]
    assert [file.rows for file in scored.manifest.predictions] == [0]
    assert [file.rows for file in scored.manifest.dead_letters] == [0]
    assert list(scored.predictions.columns)[1:7] == INPUT_COLUMNS


def test_a_night_without_files_writes_empty_files_and_a_manifest(night: NightFolder) -> None:
    scored = night.score()

    assert (scored.manifest.rows_in, scored.manifest.sources) == (0, ())
    assert [file.rows for file in scored.manifest.predictions] == [0]
    assert tuple(scored.dead_letters.columns) == DEAD_LETTER_COLUMNS
    weights = scored.manifest.summary.predictions["predicted_weight_pounds"]
    assert weights.total == sum(weights.counts) == 0


def test_the_summary_counts_every_row_over_the_bins_of_the_training_data(
    night: NightFolder,
) -> None:
    births = load_births()
    night.write("a.csv", births_csv(births))

    scored = night.score()

    features = scored.manifest.summary.features
    reference = night.trained[0].reference
    assert features["plurality"].values["Single(1)"] == sum(births["plurality"] == "Single(1)")
    assert features["mother_age"].edges == reference.numeric["mother_age"].edges
    counts, _ = np.histogram(births["mother_age"], features["mother_age"].edges)
    assert features["mother_age"].counts == (0, *counts, 0)
    weights = scored.manifest.summary.predictions["predicted_weight_pounds"]
    predicted = night.expected(births)
    assert (weights.total, sum(weights.counts)) == (1449, 1449)
    assert weights.out_of_range == np.count_nonzero((predicted < 0) | (predicted > 20))
    assert "key" not in features
