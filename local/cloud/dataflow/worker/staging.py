"""What the launcher staged in GCS: fetching it, installing its packages."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from google.cloud import storage

from local.cloud.dataflow.worker.failure import Failure

SETUP_PACKAGE = "workflow.tar.gz"
EXTRA_PACKAGES = "extra_packages.txt"
REQUIREMENTS = "requirements.txt"


def fetch_pipeline(options: dict[str, Any]) -> bytes:
    """The serialised pipeline."""
    return _blob(options["pipelineUrl"].removeprefix("gs://")).download_as_bytes()


def fetch_packages(environment: dict[str, Any], folder: Path) -> None:
    """Downloads every staged artifact under its own name."""
    folder.mkdir(exist_ok=True)
    for pool in environment.get("workerPools", []):
        for package in pool.get("packages", []):
            location = package["location"].removeprefix("storage.googleapis.com/")
            _blob(location).download_to_filename(folder / Path(package["name"]).name)


def keep(pipeline: bytes, path: Path) -> None:
    """Stores the pipeline, in one step: where it is, everything else is in place as well."""
    if not path.exists():
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(pipeline)
        temporary.replace(path)


def _blob(location: str) -> storage.Blob:
    bucket, _, name = location.partition("/")
    return storage.Client().bucket(bucket).blob(name)


def start_install(staged: Path, site: Path) -> subprocess.Popen[str] | None:
    """Begins to install the staged packages into `site`; None where there are none.

    Nothing is fetched from a package index: what a package needs is in the image or staged.
    """
    wanted = _wanted(staged)
    if not wanted:
        return None
    command = [
        *_installer(),
        *("--target", str(site), "--no-deps", "--no-index", "--no-build-isolation"),
        *("--find-links", str(staged), *wanted),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish_install(install: subprocess.Popen[str] | None) -> None:
    """Raises Failure with the installer's words."""
    if install:
        output, _ = install.communicate()
        if install.returncode:
            raise Failure(f"the staged packages could not be installed: {output.strip()}")
        # This interpreter looked into the folder when there was nothing in it.
        importlib.invalidate_caches()


def _wanted(staged: Path) -> list[str]:
    """In the order of Beam's own containers: requirements, extra packages, the setup package."""
    wanted: list[str] = []
    if (staged / REQUIREMENTS).exists():
        wanted += ["-r", str(staged / REQUIREMENTS)]
    if (staged / EXTRA_PACKAGES).exists():
        names = (staged / EXTRA_PACKAGES).read_text().split()
        wanted += [str(staged / Path(name).name) for name in names]
    if (staged / SETUP_PACKAGE).exists():
        wanted.append(str(staged / SETUP_PACKAGE))
    return wanted


def _installer() -> list[str]:
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--offline", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--quiet"]
