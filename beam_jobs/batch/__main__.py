"""python -m beam_jobs.batch"""

from beam_jobs.batch.main import main

raise SystemExit(main())
