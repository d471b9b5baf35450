"""Staged packages: installed beside the image, never from an index."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from local.cloud.dataflow.worker.failure import Failure
from local.cloud.dataflow.worker.packages import Installation
from tests.support.wheels import a_wheel


def stage(folder: Path, archive: str, module: str) -> None:
    source = folder / "source" / module
    source.mkdir(parents=True)
    (source / f"{module}.py").write_text("")
    (source / "setup.py").write_text(
        "import setuptools\n"
        f"setuptools.setup(name='{module}', version='1', py_modules=['{module}'])\n"
    )
    with tarfile.open(folder / archive, "w:gz") as tar:
        tar.add(source, f"{module}-1")


def stage_wheel(folder: Path, wheel: Path) -> None:
    (folder / "extra_packages.txt").write_text(f"{wheel.name}\n")


def test_requirements_extra_packages_and_the_setup_package_are_installed(tmp_path: Path) -> None:
    stage(tmp_path, "required_words-1.tar.gz", "required_words")
    stage(tmp_path, "extra_words-1.tar.gz", "extra_words")
    stage(tmp_path, "workflow.tar.gz", "own_words")
    (tmp_path / "requirements.txt").write_text("required_words==1\n")
    (tmp_path / "extra_packages.txt").write_text("extra_words-1.tar.gz\n")
    Installation(tmp_path, tmp_path / "site").finish()
    installed = {path.name for path in (tmp_path / "site").glob("*_words.py")}
    assert installed == {"required_words.py", "extra_words.py", "own_words.py"}


def test_a_machine_without_uv_installs_with_the_pip_that_python_brings_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    a_wheel(tmp_path, {"words.py": ""})
    (tmp_path / "requirements.txt").write_text("nightstream-beam-jobs==0+abc\n")
    Installation(tmp_path, tmp_path / "site").finish()
    assert (tmp_path / "site" / "words.py").exists()


def test_a_wheel_is_unpacked_over_what_an_earlier_process_has_left(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "scoring").mkdir(parents=True)
    (site / "scoring" / "half_written.py").write_text("import")
    data = "nightstream_beam_jobs-0+abc.data"
    files = {
        "scoring/__init__.py": "",
        f"{data}/purelib/words.py": "",
        f"{data}/scripts/run": "",
    }
    stage_wheel(tmp_path, a_wheel(tmp_path, files))
    Installation(tmp_path, site).finish()
    assert [path.name for path in (site / "scoring").iterdir()] == ["__init__.py"]
    assert {path.name for path in site.iterdir()} == {
        "scoring",
        "words.py",
        "nightstream_beam_jobs-0+abc.dist-info",
    }


def test_a_wheel_for_another_python_fails_the_job_by_name(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path, {}, tag="cp27-cp27m-win32")
    stage_wheel(tmp_path, wheel)
    with pytest.raises(Failure, match=r"win32[.]whl is not made for the worker's Python"):
        Installation(tmp_path, tmp_path / "site").finish()


def test_a_broken_wheel_fails_the_job_by_name(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path, {})
    wheel.write_bytes(wheel.read_bytes()[:100])
    stage_wheel(tmp_path, wheel)
    with pytest.raises(Failure, match=r"any[.]whl is no wheel"):
        Installation(tmp_path, tmp_path / "site").finish()


def test_a_requirement_that_was_not_staged_fails_the_job_by_name(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("not-staged==1\n")
    installation = Installation(tmp_path, tmp_path / "site")
    with pytest.raises(Failure, match="not-staged"):
        installation.finish()


def test_nothing_staged_is_nothing_to_install(tmp_path: Path) -> None:
    Installation(tmp_path, tmp_path / "site").finish()
    assert not (tmp_path / "site").exists()
