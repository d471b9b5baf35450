"""Ends all jobs of a local cloud, also when its server is gone: cancels them, waits, kills.

    python -m local.cloud.dataflow.stop --data DIR

The server itself leaves jobs running when it ends, so that the next one finds them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from local.cloud.dataflow import states
from local.cloud.dataflow.catalog import stored
from local.cloud.dataflow.folder import JobFolder

DEADLINE_SECONDS = 10.0
POLL_SECONDS = 0.1


def jobs_root(data: Path) -> Path:
    """Where the job folders of a server with this data folder lie."""
    return data / "dataflow" / "jobs"


def stop_jobs(data: Path) -> int:
    """Cancels every job that still runs and waits for its end. Returns how many there were."""
    running = [r for r in stored(jobs_root(data)) if r.status().state not in states.TERMINAL]
    for record in running:
        record.folder.request(states.CANCELLED)
    _wait([record.folder for record in running])
    for record in running:
        record.folder.kill()
        record.status()
    return len(running)


def _wait(folders: list[JobFolder]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and any(folder.held() for folder in folders):
        time.sleep(POLL_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Ends all Dataflow jobs of a local cloud.")
    parser.add_argument("--data", type=Path, required=True, help="data folder of the server")
    count = stop_jobs(parser.parse_args().data)
    print(f"{count} job(s) cancelled")


if __name__ == "__main__":
    main()
