"""The failure of a job for a reason that its owner has to read."""


class Failure(Exception):
    """Ends the job; the text alone says why, without a traceback."""
