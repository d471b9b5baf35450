"""What is wrong with a request, said so that its sender can mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

MOST_PROBLEMS = 20
"""Problems that one answer tells; a sender who has mended these is told the next."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a request, or with one of its instances."""

    message: str
    remedy: str
    instance: int | None = None
    """Its number in `instances`, from 0."""
    field: str | None = None

    def __str__(self) -> str:
        instance = "" if self.instance is None else f"instances[{self.instance}]"
        place = ".".join(part for part in (instance, self.field) if part)
        return f"{place}{': ' if place else ''}{self.message}. Remedy: {self.remedy}"


class RefusedRequest(Exception):
    """A request that gets no predictions, with the HTTP status that says why."""

    def __init__(
        self, status: int, problems: Sequence[Problem], retry_after_seconds: int | None = None
    ) -> None:
        self.status = status
        self.problems = tuple(problems[:MOST_PROBLEMS])
        self.retry_after_seconds = retry_after_seconds
        super().__init__("\n".join(map(str, self.problems)))

    def body(self) -> dict[str, Any]:
        """The JSON object that is the answer."""
        return {
            "error": {
                "code": self.status,
                "message": str(self),
                "problems": [asdict(problem) for problem in self.problems],
            }
        }


def refused(status: int, message: str, remedy: str) -> RefusedRequest:
    """A refusal for one reason that lies in no instance."""
    return RefusedRequest(status, [Problem(message, remedy)])
