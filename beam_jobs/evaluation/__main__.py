"""python -m beam_jobs.evaluation"""

from beam_jobs.evaluation.main import main

raise SystemExit(main())
