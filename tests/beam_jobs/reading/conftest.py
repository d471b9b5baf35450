"""Files to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.input_files import InputFolder


@pytest.fixture
def folder(tmp_path: Path) -> InputFolder:
    return InputFolder(tmp_path)


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> InputFolder:
    """For many small files in one test."""
    return InputFolder(tmp_path_factory.mktemp("files"))
