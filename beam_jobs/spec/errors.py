"""Errors of a declarative file: what is wrong, where, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a declarative file."""

    field: str
    """Dotted path of the field, as `input.fields[2].type`; empty for the file as a whole."""
    value: str
    """The offending value as written, shortened; empty where there is none."""
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        value = f" (found {self.value})" if self.value else ""
        return f"{where}{self.message}{value}. Remedy: {self.remedy}"


class SpecError(ValueError):
    """A declarative file that cannot be used, with every problem found in it."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))
