"""One worker process of several: Beam's SDK harness.

    python -m local.cloud.dataflow.worker.harness FOLDER HOME

Beam's environment variables say where the job process listens.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from local.cloud.dataflow.folder import JobFolder
from local.cloud.dataflow.worker.lifeline import die_with_parent
from local.cloud.dataflow.worker.logs import start_logging
from local.cloud.dataflow.worker.sdk import hide_editable_sources, use_local_bigquery


def main(folder: str, home: str) -> None:
    die_with_parent()
    start_logging(JobFolder(Path(folder)))
    hide_editable_sources()
    use_local_bigquery()
    os.environ["SEMI_PERSISTENT_DIRECTORY"] = home
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main(*sys.argv[1:])
