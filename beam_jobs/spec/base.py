"""The base of every declared object."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Constrained

Minutes = Annotated[float, Constrained(gt=0, le=366 * 24 * 60)]
"""A time to wait, at most a year."""


class Declared(BaseModel):
    """An immutable object read from a declarative file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Refusal(ValueError):
    """A declared value that cannot stand, with its remedy.

    Raised inside validators; `loading` turns it into a `Problem`.
    """

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)
