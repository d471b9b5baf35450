"""python -m beam_jobs.prediction.server"""

from beam_jobs import importing

with importing.for_good():
    from beam_jobs.prediction.server.main import main

raise SystemExit(main())
