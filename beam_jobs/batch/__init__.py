"""The nightly job: scores the input objects of one plan. Run as `python -m beam_jobs.batch`."""
