"""python -m beam_jobs.streaming"""

from beam_jobs.streaming.main import main

raise SystemExit(main())
