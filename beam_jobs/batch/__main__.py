"""python -m beam_jobs.batch"""

from beam_jobs import importing

with importing.for_good():
    from beam_jobs.batch.main import main

raise SystemExit(main())
