"""The tasks of a streaming DAG: one action is chosen, taken, and seen to its end."""
