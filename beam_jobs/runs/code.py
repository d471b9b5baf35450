"""Which code scores: the version that goes into a run's identity."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


class CodeVersionError(Exception):
    """The code that runs here is not the code that the run names."""


@cache
def code_version() -> str:
    """Hash (12 hex digits) of every source file of this package.

    The same sources have the same version however they were installed, and a night is scored again
    as soon as the code that scores it differs.
    """
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def require_code(planned: str) -> None:
    """Raises CodeVersionError where this process runs another version than the planned one."""
    here = code_version()
    if here != planned:
        raise CodeVersionError(
            f"the plan was made with code version {planned}, here runs {here}. Remedy: "
            "build the worker image from the release whose DAGs are deployed, or deploy the DAGs "
            "of the image's release; then clear the task that made the plan"
        )
