"""The steps of the batch job: read, validate, score, write, report; all on Arrow batches."""
