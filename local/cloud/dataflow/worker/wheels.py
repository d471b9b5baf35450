"""Installing a wheel: unpacking it. An installer would take a hundred times as long to start."""

from __future__ import annotations

import shutil
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from local.cloud.dataflow.worker.failure import Failure

_LIBRARIES = ("purelib", "platlib")
"""What of a wheel's folder `*.data` belongs among the modules; the rest is scripts and headers."""


def unpack(wheel: Path, site: Path) -> None:
    """Puts a wheel's modules into the folder. Raises Failure for one that is broken or made for
    another interpreter."""
    try:
        *_, tags = parse_wheel_filename(wheel.name)
        if tags.isdisjoint(sys_tags()):
            raise Failure(f"the staged package {wheel.name} is not made for the worker's Python")
        with ZipFile(wheel) as archive:
            archive.extractall(site)
    except (InvalidWheelFilename, BadZipFile) as error:
        raise Failure(f"the staged package {wheel.name} is no wheel: {error}") from error
    for data in site.glob("*.data"):
        for library in _LIBRARIES:
            if (data / library).exists():
                shutil.copytree(data / library, site, dirs_exist_ok=True)
        shutil.rmtree(data)
