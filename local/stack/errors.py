"""What goes wrong with a stack, said with its remedy."""

from __future__ import annotations


class StackError(Exception):
    """A failure that the person at the keyboard can mend."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}\n  remedy: {remedy}")
        self.message = message
        self.remedy = remedy
