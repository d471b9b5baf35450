"""One row in `scoring_runs` for each DAG run, however often it is recorded."""
