"""The tasks of a streaming DAG, one round of reconciliation: observe, decide, act, record."""
