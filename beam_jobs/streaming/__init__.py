"""The streaming job: requests scored as they arrive."""
