"""Write requirements.txt: `python -m deploy.requirements`.

It names the direct runtime dependencies and pytest, each pinned to the version in uv.lock, for
those who install with plain pip.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements.txt"

_HEADER = "# Written by `make requirements` from pyproject.toml and uv.lock.\n"
_ALSO = ("pytest",)
_NAME_AND_EXTRAS = re.compile(r"[A-Za-z0-9._-]+(\[[^\]]*\])?")


def render(pyproject: str, lock: str) -> str:
    """The content of requirements.txt. Raises KeyError for a package that the lock lacks, and
    ValueError for one that it holds in several versions."""
    declared = tomllib.loads(pyproject)["project"]["dependencies"]
    locked = _locked_versions(lock)
    lines = [_pin(requirement, locked) for requirement in (*declared, *_ALSO)]
    return _HEADER + "\n".join(sorted(lines)) + "\n"


def _locked_versions(lock: str) -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for package in tomllib.loads(lock)["package"]:
        versions.setdefault(package["name"], []).append(package.get("version", ""))
    return versions


def _pin(requirement: str, locked: dict[str, list[str]]) -> str:
    match = _NAME_AND_EXTRAS.match(requirement)
    if match is None:
        raise ValueError(f"not a requirement: {requirement!r}")
    name = match[0].split("[")[0]
    versions = locked[re.sub(r"[-_.]+", "-", name).lower()]
    if len(versions) != 1:
        raise ValueError(f"uv.lock holds {name} in several versions: {versions}")
    return f"{match[0]}=={versions[0]}"


if __name__ == "__main__":
    REQUIREMENTS.write_text(
        render((ROOT / "pyproject.toml").read_text(), (ROOT / "uv.lock").read_text())
    )
