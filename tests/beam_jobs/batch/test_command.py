"""`python -m beam_jobs.batch`, without Airflow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from beam_jobs.batch.arguments import NewNight, parse_arguments
from beam_jobs.batch.main import main
from beam_jobs.objects import open_objects
from beam_jobs.runs.layout import RunLayout
from examples.babyweight.births import load_births
from tests.support.scored_night import SPEC, NightFolder

RUNNER = "--runner=FnApiRunner"


def new_night(night: NightFolder, *inputs: Path) -> list[str]:
    return [
        *("--spec", str(SPEC), "--input", *map(str, inputs), "--model", str(night.model_folder)),
        *("--output", str(night.root / "scored"), "--score-date", "2026-01-01", RUNNER),
    ]


def test_a_plan_is_scored_and_its_counts_and_manifest_are_printed(
    night: NightFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    night.write("a.csv", load_births().to_csv(index=False).encode() + b"7,True,x,Single(1),39,k\n")
    plan = night.plan()
    layout = RunLayout(plan.root, plan.run_key)
    open_objects(layout.plan).create(layout.plan, plan.model_dump_json().encode())

    code = main(["--plan", layout.plan, "--attempt", "3", RUNNER])

    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        "1450 rows in, 1449 scored, 1 dead (1 wrong_type)",
        layout.attempt(3).manifest,
    ]


def test_a_night_is_resolved_and_scored_in_one_call(
    night: NightFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    night.plan()
    births = load_births()
    first = night.write("a.csv", births[:10].to_csv(index=False).encode())
    night.write("more/b.csv", births[10:30].to_csv(index=False).encode())
    night.write("more/_SUCCESS", b"")

    code = main(new_night(night, first, night.root / "input" / "more"))

    counts, manifest = capsys.readouterr().out.splitlines()
    assert (code, counts) == (0, "30 rows in, 30 scored, 0 dead")
    sources = json.loads(Path(manifest).read_text())["sources"]
    assert [Path(source["object"]["uri"]).name for source in sources] == ["a.csv", "b.csv"]
    assert (Path(manifest).parents[1] / "plan.json").exists()


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("input", "there is no such file"),
        ("model", "model.json does not exist"),
        ("spec", "not readable as YAML"),
    ],
)
def test_what_is_missing_is_named_before_anything_runs(
    night: NightFolder, capsys: pytest.CaptureFixture[str], missing: str, message: str
) -> None:
    night.plan()
    arguments = new_night(night, night.write("a.csv", b"key\n"))
    arguments[arguments.index(f"--{missing}") + 1] = "/nowhere/babyweight.yaml"

    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_plan_and_its_parts_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--plan", "plan.json", "--model", "m"])
    assert "--plan says everything; drop --model" in capsys.readouterr().err


def test_missing_parts_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--spec", "s.yaml", "--model", "m"])
    error = capsys.readouterr().err
    assert "without --plan, --input, --output, --score-date must be given too" in error


def test_everything_else_is_handed_to_beam() -> None:
    parts = ["--spec=s.yaml", "--input", "a", "b", "--model=m", "--output=o"]
    arguments = parse_arguments([*parts, "--score-date=2026-01-01", "--runner=X", "--streaming"])
    assert arguments.beam == ("--runner=X", "--streaming")
    assert isinstance(arguments.night, NewNight)
    assert arguments.night.input == ("a", "b")


def test_help_describes_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    said = capsys.readouterr().out
    assert exit_.value.code == 0
    for option in ("--plan", "--attempt", "--spec", "--input", "--model", "--output", "--wait"):
        assert option in said
