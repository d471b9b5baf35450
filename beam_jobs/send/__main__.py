"""python -m beam_jobs.send"""

from beam_jobs.send.main import main

raise SystemExit(main())
