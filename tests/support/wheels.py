"""Wheels made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

_METADATA = """\
Metadata-Version: 2.1
Name: nightstream-beam-jobs
Version: 0+abc
"""
_WHEEL = """\
Wheel-Version: 1.0
Generator: hand
Root-Is-Purelib: true
Tag: {tag}
"""


def a_wheel(folder: Path, files: Mapping[str, str], tag: str = "py3-none-any") -> Path:
    """One of those files, by their names within it."""
    wheel = folder / f"nightstream_beam_jobs-0+abc-{tag}.whl"
    about = "nightstream_beam_jobs-0+abc.dist-info"
    described = {
        f"{about}/METADATA": _METADATA,
        f"{about}/WHEEL": _WHEEL.format(tag=tag),
        f"{about}/RECORD": "".join(f"{name},,\n" for name in files),
    }
    with ZipFile(wheel, "w") as archive:
        for name, content in {**files, **described}.items():
            archive.writestr(name, content)
    return wheel
