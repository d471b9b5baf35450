"""python -m nightstream.reconcile: do the books of a service close?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from beam_jobs.spec import ServiceSpec, SpecError
from nightstream.declarations import declared_environment, declared_services

_DESCRIPTION = """\
Compares input objects, manifests, ledgers, tables and scoring_runs of some nights, and the tables
of the requests of those days: inputs = predictions + dead letters - replayed. Every difference is
named, with its remedy. The exit code is 0 when the books close, 1 when they do not, 2 when they
cannot be opened."""

_EPILOG = """\
The environment is the one that NIGHTSTREAM_ENV names, the credentials are those of its Airflow
connection. Example:
  python -m nightstream.reconcile --service babyweight --from 2026-01-01 --to 2026-01-31
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    arguments = _parser().parse_args(argv)
    if arguments.last < arguments.first:
        print(f"--to {arguments.last} is before --from {arguments.first}", file=sys.stderr)
        return 2
    try:
        environment = declared_environment(arguments.dags)
        spec = _service(arguments.dags, arguments.service)
    except (SpecError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    from nightstream.reconciling.service import reconcile

    found = reconcile(spec, environment, arguments.first, arguments.last)
    print(found.text())
    return 1 if found.differences else 0


def _service(dags: Path, name: str) -> ServiceSpec:
    known = {spec.service: spec for spec in declared_services(dags, None, "")}
    if name not in known:
        listed = ", ".join(sorted(known)) or "none"
        raise FileNotFoundError(
            f"{dags}/services declares no service {name!r}. Remedy: name one of {listed}, or the "
            "folder of the DAGs with --dags"
        )
    return known[name]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nightstream.reconcile",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    day = date.fromisoformat
    parser.add_argument("--service", required=True, metavar="NAME")
    parser.add_argument("--from", dest="first", type=day, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=day, required=True, metavar="YYYY-MM-DD")
    parser.add_argument(
        "--dags", type=Path, default=Path("dags"), help="folder of the DAGs (default: dags)"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
