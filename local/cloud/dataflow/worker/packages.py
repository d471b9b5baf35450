"""Installing the staged packages: wheels are unpacked, all others are built by uv or pip.

Nothing is fetched from a package index: what a package needs is in the image or staged.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from local.cloud.dataflow.worker.failure import Failure
from local.cloud.dataflow.worker.wheels import unpack

SETUP_PACKAGE = "workflow.tar.gz"
EXTRA_PACKAGES = "extra_packages.txt"
REQUIREMENTS = "requirements.txt"
WHEEL = ".whl"


class Installation:
    """Staged packages on their way into the folder `site`, which is emptied first: an earlier
    process may have died over it."""

    def __init__(self, staged: Path, site: Path) -> None:
        self._site = site
        shutil.rmtree(site, ignore_errors=True)
        extra = _extra_packages(staged)
        self._wheels = [path for path in extra if path.suffix == WHEEL]
        self._build = _start_build(staged, [path for path in extra if path.suffix != WHEEL], site)

    def finish(self) -> None:
        """Returns when all packages are there. Raises Failure where one cannot be installed."""
        if self._build:
            output, _ = self._build.communicate()
            if self._build.returncode:
                raise Failure(f"the staged packages could not be installed: {output.strip()}")
        for wheel in self._wheels:
            unpack(wheel, self._site)
        # This interpreter looked into the folder when there was nothing in it.
        importlib.invalidate_caches()


def _extra_packages(staged: Path) -> list[Path]:
    listed = staged / EXTRA_PACKAGES
    names = listed.read_text().splitlines() if listed.exists() else []
    return [staged / Path(name).name for name in names if name]


def _start_build(staged: Path, extra: list[Path], site: Path) -> subprocess.Popen[str] | None:
    """In the order of Beam's own containers: requirements, extra packages, the setup package."""
    wanted = ["-r", str(staged / REQUIREMENTS)] if (staged / REQUIREMENTS).exists() else []
    wanted += map(str, extra)
    if (staged / SETUP_PACKAGE).exists():
        wanted.append(str(staged / SETUP_PACKAGE))
    if not wanted:
        return None
    command = [
        *_installer(),
        *("--target", str(site), "--no-deps", "--no-index", "--no-build-isolation"),
        *("--find-links", str(staged), *wanted),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _installer() -> list[str]:
    """uv, or the interpreter's pip, or the one that Python brings along."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--offline", "--python", sys.executable]
    return [sys.executable, *_pip(), "install", "--quiet"]


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return ["-m", "pip"]
    import ensurepip

    [wheel] = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    return [str(wheel / "pip")]
