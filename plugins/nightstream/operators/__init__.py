"""The tasks of a night. Importing them is light; whatever is heavy is imported when one runs."""
