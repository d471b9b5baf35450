"""The tasks of the DAG that cleans up."""
