"""Extract jobs: a table or one of its partitions into files of Cloud Storage."""
