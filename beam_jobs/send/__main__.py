"""python -m beam_jobs.send"""

from beam_jobs import importing

with importing.for_good():
    from beam_jobs.send.main import main

raise SystemExit(main())
