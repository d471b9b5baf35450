"""Why there is no evaluation."""


class EvaluationError(Exception):
    """Rows, labels or answers with which nothing can be judged; the message has the remedy."""
