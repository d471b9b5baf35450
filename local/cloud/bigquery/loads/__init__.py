"""Load jobs: files of Cloud Storage or of an upload into one table or one partition."""
