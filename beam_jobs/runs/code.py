"""Which code scores: the version that goes into a run's identity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PACKAGE = "beam_jobs"


class CodeVersionError(Exception):
    """The code that runs here is not the code that the run names."""


@cache
def code_sources() -> Mapping[str, bytes]:
    """Every source file of this package, by its path from the folder that the package lies in."""
    folder = Path(__file__).resolve().parents[2]
    files = sorted((folder / PACKAGE).rglob("*.py"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def version_of(sources: Mapping[str, bytes]) -> str:
    """Hash (12 hex digits) of source files."""
    digest = hashlib.sha256()
    for path, content in sorted(sources.items()):
        digest.update(path.encode() + b"\0")
        digest.update(content + b"\0")
    return digest.hexdigest()[:12]


@cache
def code_version() -> str:
    """The version of the code that runs here.

    The same sources have the same version however they were installed, and a night is scored again
    as soon as the code that scores it differs.
    """
    return version_of(code_sources())


def require_code(planned: str) -> None:
    """Raises CodeVersionError where this process runs another version than the planned one."""
    here = code_version()
    if here != planned:
        raise CodeVersionError(
            f"the plan was made with code version {planned}, here runs {here}. Remedy: of a night, "
            "build the worker image from the release whose DAGs are deployed, or deploy the DAGs "
            "of the image's release, then clear the task that made the plan; of a streaming job, "
            "which brings its code along, take the package out of the worker image"
        )
