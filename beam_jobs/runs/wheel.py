"""The code of a streaming job as a wheel, which the job brings along wherever it runs.

Launched again long after another release was deployed, a revision still runs its own code.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from beam_jobs.runs.code import version_of

DISTRIBUTION = "nightstream_beam_jobs"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can name."""
_WHEEL = """\
Wheel-Version: 1.0
Generator: nightstream
Root-Is-Purelib: true
Tag: py3-none-any
"""


def wheel_name(version: str) -> str:
    """The file name of the wheel of that code version; installers read name and version in it."""
    return f"{_release(version)}-py3-none-any.whl"


def build_wheel(sources: Mapping[str, bytes]) -> bytes:
    """A wheel that holds just those files, by their paths; the same bytes for the same files.

    It names no dependencies: the worker image has them.
    """
    version = version_of(sources)
    info = f"{_release(version)}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: 0+{version}\n"
    files = {
        **dict(sorted(sources.items())),
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": _WHEEL.encode(),
    }
    return _zipped({**files, f"{info}/RECORD": _record(files, f"{info}/RECORD")})


def unpack_wheel(wheel: bytes, folder: Path) -> None:
    """Puts the wheel's files into a folder, which on PYTHONPATH is as good as an installation."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        archive.extractall(folder)


def _release(version: str) -> str:
    return f"{DISTRIBUTION}-0+{version}"


def _record(files: Mapping[str, bytes], itself: str) -> bytes:
    lines = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in files.items()]
    return "\n".join([*lines, f"{itself},,", ""]).encode()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is built.
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
