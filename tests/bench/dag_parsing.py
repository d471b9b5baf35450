"""(d) Parsing all DAG files with one service and with two hundred."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.result import Result
from tests.bench.workshop import Workshop
from tests.support.local_cloud import ROOT

MANY = 200
_REPEATS = 3
_EXAMPLE = "babyweight"
_SCRIPT = """
import airflow.sdk, pathlib, runpy, sys, time
from airflow.sdk import DAG, Param
began = time.perf_counter()
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    runpy.run_path(str(file))
print(time.perf_counter() - began)
"""


def measure(workshop: Workshop) -> Result:  # noqa: ARG001
    """Seconds that the other services add, each time in a fresh process, as Airflow parses."""
    with TemporaryDirectory() as folder:
        one, many = (_dags(Path(folder) / str(count), count) for count in (1, MANY))
        times = [(_parse_seconds(one), _parse_seconds(many)) for _ in range(_REPEATS)]
    first, all_of_them = (statistics.median(column) for column in zip(*times, strict=True))
    return Result(
        name=f"parsing, {MANY} services - 1",
        value=all_of_them - first,
        unit="s",
        target=2.5,
        details={"one_s": first, "many_s": all_of_them},
    )


def _dags(folder: Path, services: int) -> Path:
    """The real DAG files with copies of the example service."""
    shutil.copytree(ROOT / "dags", folder, ignore=shutil.ignore_patterns("__pycache__"))
    spec = (folder / "services" / f"{_EXAMPLE}.yaml").read_text()
    for number in range(1, services):
        name = f"{_EXAMPLE}_{number:03d}"
        copy = spec.replace(f"service: {_EXAMPLE}", f"service: {name}")
        (folder / "services" / f"{name}.yaml").write_text(copy)
    return folder


def _parse_seconds(folder: Path) -> float:
    environment = {
        **os.environ,
        "NIGHTSTREAM_ENV": "prod",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    answer = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(answer.stdout.split()[-1])
