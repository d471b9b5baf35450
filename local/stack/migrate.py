"""Bring Airflow's tables up to this version: `python -m local.stack.migrate STAMP`.

STAMP is the file that remembers the version, so that the next start need not import Airflow to
learn that there is nothing to do.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path


def is_migrated(stamp: Path) -> bool:
    return stamp.exists() and stamp.read_text() == version("apache-airflow")


def main(stamp: Path) -> None:
    from airflow.utils import db

    db.initdb()
    stamp.write_text(version("apache-airflow"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
