"""The guided show of `make tour`: the life of a streaming job, under requests that never stop."""
