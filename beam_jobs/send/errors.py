"""What keeps requests from being sent."""

from __future__ import annotations


class SendError(Exception):
    """Says what is wrong and how to mend it."""
