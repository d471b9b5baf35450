"""The code of a job as a wheel: the same bytes anywhere, installed or unpacked the same code."""

from __future__ import annotations

import csv
import ensurepip
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.runs.code import code_sources, code_version, version_of
from beam_jobs.runs.wheel import build_wheel, unpack_wheel, wheel_name

PATHS = st.from_regex(r"[a-z_]{1,8}(/[a-z_]{1,8}){0,2}\.py", fullmatch=True)
SOURCES = st.dictionaries(PATHS, st.binary(max_size=40))
_VERSION = "from beam_jobs.runs.code import code_version; print(code_version())"


def reported_version(folder: Path) -> str:
    """What the code in a folder on PYTHONPATH says of itself."""
    said = subprocess.run(
        [sys.executable, "-P", "-c", _VERSION],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip()


def uv_install(wheel: Path, site: Path) -> None:
    uv = shutil.which("uv")
    assert uv, "uv is needed"
    how = ["pip", "install", "--quiet", "--offline", "--python", sys.executable]
    subprocess.run([uv, *how, "--target", str(site), str(wheel)], check=True)


def pip_install(wheel: Path, site: Path) -> None:
    """By the pip that Python brings along."""
    bundled = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    how = ["install", "--quiet", "--no-index", "--no-compile", "--target", str(site)]
    subprocess.run([sys.executable, "-I", f"{bundled}/pip", *how, str(wheel)], check=True)


@pytest.fixture(scope="module")
def wheel() -> bytes:
    return build_wheel(code_sources())


@pytest.fixture
def file(tmp_path: Path, wheel: bytes) -> Path:
    path = tmp_path / wheel_name(code_version())
    path.write_bytes(wheel)
    return path


@settings(deadline=None)
@given(SOURCES)
def test_the_same_files_in_any_order_make_the_same_bytes(sources: dict[str, bytes]) -> None:
    backwards = dict(reversed(sources.items()))
    assert build_wheel(sources) == build_wheel(backwards)
    assert version_of(sources) == version_of(backwards)


@settings(deadline=None)
@given(SOURCES)
def test_a_wheel_holds_the_files_and_a_record_of_each(sources: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(build_wheel(sources))) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    info = f"nightstream_beam_jobs-0+{version_of(sources)}.dist-info"
    assert held.keys() == {
        *sources,
        *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD")),
    }
    assert {name: held[name] for name in sources} == sources
    rows = list(csv.reader(held[f"{info}/RECORD"].decode().splitlines()))
    assert {path: int(size) for path, digest, size in rows if digest} == {
        name: len(data) for name, data in held.items() if not name.endswith("/RECORD")
    }


@settings(deadline=None)
@given(SOURCES, PATHS, st.binary())
def test_another_file_or_other_bytes_make_another_version(
    sources: dict[str, bytes], path: str, content: bytes
) -> None:
    other = {**sources, path: content}
    assert (version_of(other) == version_of(sources)) == (other == sources)


def test_an_unpacked_wheel_is_this_very_code(tmp_path: Path, wheel: bytes) -> None:
    unpack_wheel(wheel, tmp_path)
    assert reported_version(tmp_path) == code_version()


@pytest.mark.parametrize("install", [uv_install, pip_install])
def test_an_installed_wheel_is_this_very_code(
    tmp_path: Path, file: Path, install: Callable[[Path, Path], None]
) -> None:
    install(file, tmp_path / "site")
    assert reported_version(tmp_path / "site") == code_version()


def test_a_version_of_nothing_but_digits_can_be_installed(tmp_path: Path) -> None:
    """Installers take such a version for a number."""
    sources = next(
        {"m.py": content}
        for content in (b"%d" % number for number in range(100_000))
        if re.fullmatch("0[0-9]{11}", version_of({"m.py": content}))
    )
    file = tmp_path / wheel_name(version_of(sources))
    file.write_bytes(build_wheel(sources))
    uv_install(file, tmp_path / "site")
    assert (tmp_path / "site" / "m.py").read_bytes() == sources["m.py"]


def test_everything_in_the_package_is_source_code() -> None:
    """The wheel carries nothing else."""
    package = Path(__file__).parents[3] / "beam_jobs"
    files = {path.suffix for path in package.rglob("*") if path.is_file()}
    assert files <= {".py", ".pyc"}
