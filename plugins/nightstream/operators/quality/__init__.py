"""The steps of a quality DAG."""
