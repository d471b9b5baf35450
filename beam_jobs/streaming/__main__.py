"""python -m beam_jobs.streaming"""

from beam_jobs import importing

with importing.for_good():
    from beam_jobs.streaming.main import main

raise SystemExit(main())
