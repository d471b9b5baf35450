"""Staged packages: installed beside the image, never from an index."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from local.cloud.dataflow.worker.failure import Failure
from local.cloud.dataflow.worker.staging import finish_install, start_install


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


def test_requirements_extra_packages_and_the_setup_package_are_installed(tmp_path: Path) -> None:
    stage(tmp_path, "required_words-1.tar.gz", "required_words")
    stage(tmp_path, "extra_words-1.tar.gz", "extra_words")
    stage(tmp_path, "workflow.tar.gz", "own_words")
    (tmp_path / "requirements.txt").write_text("required_words==1\n")
    (tmp_path / "extra_packages.txt").write_text("extra_words-1.tar.gz\n")
    finish_install(start_install(tmp_path, tmp_path / "site"))
    installed = {path.name for path in (tmp_path / "site").glob("*_words.py")}
    assert installed == {"required_words.py", "extra_words.py", "own_words.py"}


def test_a_requirement_that_was_not_staged_fails_the_job_by_name(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("not-staged==1\n")
    install = start_install(tmp_path, tmp_path / "site")
    with pytest.raises(Failure, match="not-staged"):
        finish_install(install)


def test_nothing_staged_is_nothing_to_install(tmp_path: Path) -> None:
    assert start_install(tmp_path, tmp_path / "site") is None
