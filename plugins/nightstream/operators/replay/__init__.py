"""The tasks of a replay DAG: choose → resolve → … → remember for a night, choose → nights for
several, choose → send for requests. Between `resolve` and `remember` a revision goes the way of
every night."""
