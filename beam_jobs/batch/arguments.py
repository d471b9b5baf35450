"""The command line of the nightly job."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

_DESCRIPTION = """\
Scores the input files of one night. Valid rows become predictions, the others dead letters with
their reason, both as Parquet. A manifest, written last, lists the files and accounts for every
row."""

_EPILOG = """\
Everything else is handed to Beam. Any of its runners will do:
  --runner=DirectRunner            one process here (the default)
  --runner=FnApiRunner --direct_num_workers=2 --direct_running_mode=multi_processing
  --runner=DataflowRunner --project=P --region=R --temp_location=gs://… --sdk_container_image=…

Examples:
  python -m beam_jobs.batch --plan gs://scoring-work/babyweight/runs/<run key>/plan.json --attempt 1
  python -m beam_jobs.batch --spec dags/services/babyweight.yaml --input night/*.csv \\
      --model models/babyweight/v1 --output scored --score-date 2026-11-01
"""


@dataclass(frozen=True)
class NewNight:
    """A night that is resolved by this very call."""

    spec: Path
    input: tuple[str, ...]
    model: str
    output: str
    score_date: date


@dataclass(frozen=True)
class Arguments:
    """What one call is to do."""

    night: str | NewNight
    """The URI of a plan, or everything that one is made from."""
    attempt: int
    wait: bool
    beam: tuple[str, ...]
    """Pipeline options."""


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Exits with usage and message when the arguments do not fit together."""
    parser = _parser()
    known, beam = parser.parse_known_args(argv)
    parts = {name: getattr(known, name) for name in NewNight.__dataclass_fields__}
    given = [_option(name) for name, value in parts.items() if value is not None]
    missing = [_option(name) for name, value in parts.items() if value is None]
    if known.plan and given:
        parser.error(f"--plan says everything; drop {', '.join(given)}")
    if not known.plan and missing:
        parser.error(f"without --plan, {', '.join(missing)} must be given too")
    night = known.plan or NewNight(**{**parts, "input": tuple(known.input)})
    return Arguments(night, known.attempt, known.wait, tuple(beam))


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m beam_jobs.batch",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--attempt",
        type=int,
        default=1,
        metavar="N",
        help="number of this try; each writes into a folder of its own (default 1)",
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="with DataflowRunner: stay until the job is done, instead of printing its id",
    )
    planned = parser.add_argument_group("a night that has been resolved")
    planned.add_argument(
        "--plan", metavar="URI", help="plan.json: spec, score date, model and input objects, pinned"
    )
    direct = parser.add_argument_group("or a night resolved here and now")
    direct.add_argument("--spec", type=Path, metavar="FILE", help="the service's YAML file")
    direct.add_argument(
        "--input",
        nargs="+",
        metavar="URI",
        help="files, and folders ending in / (all files but those named _* or .*); gs:// or local",
    )
    direct.add_argument("--model", metavar="FOLDER", help="model version: where model.json lies")
    direct.add_argument("--output", metavar="FOLDER", help="below it, a folder for each run")
    direct.add_argument(
        "--score-date", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the night"
    )
    return parser
