"""The steps of the batch job: read, validate, score, write, report. Rows travel as Arrow batches."""
