"""How long a trigger bears errors of a service that it watches."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Patience:
    """Bears a number of errors in a row; then the task itself is to meet the error and show it."""

    errors: int = 0
    limit: int = 10

    def tried_by(self, error: Exception) -> str | None:
        """Why to go on waiting after one more error; None when patience is at its end."""
        self.errors += 1
        if self.errors >= self.limit:
            return None
        return f"looking failed {self.errors} times in a row: {type(error).__name__}: {error}"

    def restored(self) -> None:
        """Nothing went wrong this time."""
        self.errors = 0
