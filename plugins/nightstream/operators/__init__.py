"""The tasks of the DAGs. Importing them is light; whatever is heavy is imported when one runs."""
