"""Dead letters tried again by the real job: the night is what a full re-run would have made it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.runs.plan import derive_run_key
from examples.babyweight.births import load_births
from tests.support.replays import replay_plan
from tests.support.scored_night import NightFolder, Scored, babyweight, run

_FIELDS = babyweight().model_dump(mode="json")["input"]["fields"]
OLDER_MOTHERS = {
    "fields": [f | ({"range": [10, 90]} if f["name"] == "mother_age" else {}) for f in _FIELDS]
}
"""The contract as the team mends it."""
NOT_THE_WORK = ["run_key", "scored_at", "dead_at"]


def births_with_old_mothers(old: int, rows: int = 60) -> pd.DataFrame:
    births = load_births()[:rows].reset_index(drop=True)
    births.loc[births.index[:old], "mother_age"] = 70.0
    return births


def lines(births: pd.DataFrame, columns: list[str] | None = None) -> bytes:
    return births.to_csv(index=False, columns=columns).encode()


def a_night_with_trouble(night: NightFolder) -> Scored:
    """Two files whose columns are in another order, with rows that are dead for two reasons."""
    births = births_with_old_mothers(5)
    night.write("a.csv", lines(births[:30]) + b"only,two\n")
    births = births_with_old_mothers(3)
    night.write("b.csv", lines(births[:20], list(reversed(births.columns))))
    return night.score()


def assert_books_add_up(scored: Scored) -> None:
    manifest = scored.manifest
    assert manifest.rows_in == manifest.rows_scored + manifest.rows_dead
    assert len(scored.predictions) == manifest.rows_scored
    assert len(scored.dead_letters) == manifest.rows_dead
    assert sum(manifest.summary.dead_by_code.values()) == manifest.rows_dead
    for source in manifest.sources:
        edges = [(part.start, part.end) for part in source.ranges]
        assert (edges[0][0], edges[-1][1]) == (0, source.object.size)
        assert all(this[1] == after[0] for this, after in itertools.pairwise(edges))
        assert all(part.rows_in == part.rows_scored + part.rows_dead for part in source.ranges)
    for seen in manifest.summary.predictions.values():
        assert seen.total == manifest.rows_scored


def content(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns=[name for name in NOT_THE_WORK if name in rows])


def test_repaired_rows_join_what_was_scored_before(night: NightFolder) -> None:
    base = a_night_with_trouble(night)
    assert base.manifest.summary.dead_by_code == {"out_of_range": 8, "column_count": 1}

    revision = run(replay_plan(base, {"out_of_range"}, input=OLDER_MOTHERS))

    again = night.score(input=OLDER_MOTHERS)
    pd.testing.assert_frame_equal(content(revision.predictions), content(again.predictions))
    pd.testing.assert_frame_equal(content(revision.dead_letters), content(again.dead_letters))
    assert revision.manifest.rows_in == base.manifest.rows_in == again.manifest.rows_in
    assert revision.manifest.summary.dead_by_code == {"column_count": 1}
    assert revision.manifest.summary.predictions == again.manifest.summary.predictions
    assert revision.manifest.summary.features == again.manifest.summary.features
    assert revision.manifest.scored_by == {"v1": 50}
    assert_books_add_up(revision)


def test_a_letter_that_stays_dead_is_a_dead_letter_of_the_replay(night: NightFolder) -> None:
    base = a_night_with_trouble(night)
    plan = replay_plan(base, {"out_of_range", "column_count"})
    revision = run(plan)
    pd.testing.assert_frame_equal(content(revision.dead_letters), content(base.dead_letters))
    assert set(revision.dead_letters["run_key"]) == {plan.run_key}
    assert revision.manifest.summary.dead_by_code == base.manifest.summary.dead_by_code
    assert_books_add_up(revision)


def test_a_revision_can_be_revised(night: NightFolder) -> None:
    base = a_night_with_trouble(night)
    first = run(replay_plan(base, {"column_count"}))
    second = run(replay_plan(first, {"out_of_range"}, input=OLDER_MOTHERS))
    assert second.manifest.summary.dead_by_code == {"column_count": 1}
    assert second.manifest.rows_scored == base.manifest.rows_scored + 8
    assert set(second.dead_letters["run_key"]) == {first.plan.run_key}
    assert_books_add_up(second)


def test_the_same_choice_is_the_same_run_and_another_is_another(night: NightFolder) -> None:
    base = a_night_with_trouble(night)
    one, same = (replay_plan(base, {"out_of_range"}, input=OLDER_MOTHERS) for _ in range(2))
    assert one.run_key == same.run_key
    others = [
        base.plan,
        replay_plan(base, {"column_count"}, input=OLDER_MOTHERS),
        replay_plan(base, {"out_of_range"}),
    ]
    assert len({one.run_key, *(derive_run_key(plan) for plan in others)}) == 4


def json_line(birth: Mapping[Hashable, Any]) -> bytes:
    return json.dumps(birth).encode()


def test_json_letters_are_replayed(night: NightFolder) -> None:
    births = births_with_old_mothers(4, rows=10).to_dict("records")
    night.write("a.json", b"\n".join([*map(json_line, births), b"{broken"]))
    form = {"format": {"type": "json"}, "files": "*.json"}
    base = night.score(input=form)
    mended = replay_plan(base, {"out_of_range", "not_json"}, input=form | OLDER_MOTHERS)
    revision = run(mended)
    pd.testing.assert_frame_equal(
        content(revision.predictions), content(night.score(input=form | OLDER_MOTHERS).predictions)
    )
    assert revision.manifest.summary.dead_by_code == {"not_json": 1}
    assert_books_add_up(revision)


def test_parquet_letters_are_replayed(night: NightFolder) -> None:
    births = births_with_old_mothers(4, rows=10)
    path = night.write("a.parquet", b"")
    pq.write_table(pa.Table.from_pandas(births, preserve_index=False), path)
    form = {"format": {"type": "parquet"}, "files": "*.parquet"}
    base = night.score(input=form)
    revision = run(replay_plan(base, {"out_of_range"}, input=form | OLDER_MOTHERS))
    pd.testing.assert_frame_equal(
        content(revision.predictions), content(night.score(input=form | OLDER_MOTHERS).predictions)
    )
    assert revision.manifest.rows_dead == 0
    assert_books_add_up(revision)
