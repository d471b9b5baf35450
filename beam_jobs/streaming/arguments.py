"""The command line of the streaming job."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

_DESCRIPTION = """\
Scores requests as they arrive: reads them from a Pub/Sub subscription, and writes predictions, and
dead letters with their reason, to the service's live tables in BigQuery."""

_EPILOG = """\
Everything else is handed to Beam, after the options that the plan pins; --streaming is set.

Examples:
  python -m beam_jobs.streaming --plan gs://scoring-work/babyweight/streaming/…/plan.json \\
      --job_name=babyweight-live-a --num_workers=1 --max_num_workers=3 --labels=slot=a
  … --update --transform_name_mapping='{"Old step": "New step"}' takes over from the running job of
      that name; exit code 2 where there is none
  … --extra_package=nightstream_beam_jobs-….whl hands the workers the code that runs here
"""


@dataclass(frozen=True)
class Arguments:
    """What one call is to do."""

    plan: str
    """URI."""
    subscription: str | None
    """Full name; None: the plan's."""
    beam: tuple[str, ...]
    """Pipeline options."""


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Exits with usage and message when the arguments do not fit."""
    known, beam = _parser().parse_known_args(argv)
    return Arguments(known.plan, known.subscription, tuple(beam))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m beam_jobs.streaming",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--plan", required=True, metavar="URI", help="plan.json: spec, model and tables, pinned"
    )
    parser.add_argument(
        "--subscription",
        type=_subscription,
        metavar="NAME",
        help="projects/P/subscriptions/S, where it is not the one that the spec names",
    )
    return parser


def _subscription(name: str) -> str:
    if not re.fullmatch(r"projects/[^/]+/subscriptions/[^/]+", name):
        raise argparse.ArgumentTypeError(f"{name!r} is not projects/P/subscriptions/S")
    return name
