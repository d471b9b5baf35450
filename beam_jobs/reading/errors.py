"""Why a whole input file cannot be used."""

from __future__ import annotations


class InputFileError(Exception):
    """An input file that fails the run; says which, what is wrong, and how to mend it."""

    def __init__(self, uri: str, what: str, remedy: str) -> None:
        self.uri = uri
        self.what = what
        self.remedy = remedy
        super().__init__(f"{uri}: {what}. Remedy: {remedy}")

    def __reduce__(self) -> tuple[type[InputFileError], tuple[str, str, str]]:
        return type(self), (self.uri, self.what, self.remedy)
