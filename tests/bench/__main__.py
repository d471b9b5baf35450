"""Measures, prints a table, writes JSON: `python -m tests.bench [--quick] [--only NAME …]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from tests.bench.registry import MEASUREMENTS
from tests.bench.result import Result
from tests.bench.workshop import open_workshop
from tests.support.local_cloud import ROOT


def main() -> int:
    arguments = _parser().parse_args()
    console = Console()
    results = []
    with open_workshop(arguments.quick) as workshop:
        for name in arguments.only or MEASUREMENTS:
            with console.status(f"measuring {name}"):
                results.append(MEASUREMENTS[name](workshop))
            console.print(f"{name}: {results[-1].value:.2f} {results[-1].unit}")
    console.print(_table(results))
    _write(results, arguments.quick)
    return 0 if all(result.met for result in results) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the rows")
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, metavar="NAME")
    return parser


def _table(results: list[Result]) -> Table:
    table = Table("measured", "value", "target", "verdict", "made of")
    for result in results:
        table.add_row(
            result.name,
            f"{result.value:.2f} {result.unit}",
            *_judged(result),
            ", ".join(f"{name} {value:,.1f}" for name, value in result.details.items()),
        )
    return table


def _judged(result: Result) -> tuple[str, str]:
    if result.target is None:
        return "-", "-"
    sign = "≥" if result.at_least else "≤"
    verdict = "[green]met" if result.met else "[red]not met"
    return f"{sign} {result.target:g} {result.unit}", verdict


def _write(results: list[Result], quick: bool) -> None:
    now = datetime.now(UTC)
    folder = ROOT / "bench-results"
    folder.mkdir(exist_ok=True)
    content = {
        "measured_at": now.isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "results": [{**asdict(result), "met": result.met} for result in results],
    }
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(content, indent=2))
    print(path)


if __name__ == "__main__":
    sys.exit(main())
