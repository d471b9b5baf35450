"""The nightly job's launcher, which says when it had imported what it needs; Beam says the rest.

python -m tests.bench.cloud.launcher ARGUMENTS, as of beam_jobs.batch. Each line of its log begins
with the time, in seconds since the epoch.
"""

from __future__ import annotations

import logging
import sys

logging.basicConfig(level=logging.INFO, format="%(created).6f %(message)s")

from beam_jobs.batch.main import main  # noqa: E402

if __name__ == "__main__":
    logging.info("imported")
    sys.exit(main())
