"""Which objects go or stay together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from beam_jobs.objects import ObjectInfo
from nightstream.cleaning.inventory import Bundle, launchers_files, staged_runs

ROOT = "gs://scoring-work/weights/runs"
TEMP = "gs://scoring-work/dataflow/temp"
THEN = datetime(2026, 1, 6, tzinfo=UTC)


def objects(root: str, *names: str) -> list[ObjectInfo]:
    """One object a day."""
    return [
        ObjectInfo(f"{root}/{name}", 1, 100, THEN + timedelta(days=day))
        for day, name in enumerate(names)
    ]


def names(bundle: Bundle) -> list[str]:
    return [file.uri.removeprefix(f"{bundle.folder}/") for file in bundle.files]


def test_the_data_of_a_run_may_go_and_its_records_stay() -> None:
    [run] = staged_runs(
        ROOT,
        objects(
            ROOT,
            "k1/plan.json",
            "k1/1/launched_by.json",
            "k1/1/dead_letters/0.parquet",
            "k1/1/predictions/0.parquet",
            "k1/1/manifest.json",
            "k1/1/drift.json",
            "k1/1/report.html",
            "k1/2/predictions/0.parquet",
            "k1/last_used",
        ),
    )
    assert (run.name, run.folder, run.size) == ("k1", f"{ROOT}/k1", 300)
    assert run.last_used == THEN + timedelta(days=8)
    assert names(run) == [
        "1/dead_letters/0.parquet",
        "1/predictions/0.parquet",
        "2/predictions/0.parquet",
    ]


def test_a_run_without_data_is_none_of_our_business() -> None:
    assert staged_runs(ROOT, objects(ROOT, "k1/plan.json", "k1/1/removed.json")) == []


def test_a_sweep_that_was_cut_off_does_not_make_a_run_look_used() -> None:
    [run] = staged_runs(ROOT, objects(ROOT, "k1/1/predictions/0.parquet", "k1/1/removed.json"))
    assert run.last_used == THEN


def test_what_a_launcher_left_is_known_by_the_name_of_its_job() -> None:
    found = launchers_files(
        TEMP,
        objects(
            TEMP,
            "weights-batch-1.1767600000.123456/pipeline.pb",
            "weights-batch-1.1767600000.123456/deep/package.whl",
            "weights-live-a.1767600001.5/pipeline.pb",
            "somebody_s/own.txt",
            "own.txt",
        ),
    )
    assert [(b.name, len(b.files)) for b in found] == [
        ("weights-batch-1", 2),
        ("weights-live-a", 1),
    ]
