"""requirements.txt is what pyproject.toml and uv.lock say."""

from __future__ import annotations

import re

import pytest

from deploy.requirements import REQUIREMENTS, ROOT, render

PYPROJECT = """
[project]
dependencies = ["Apache.Beam[gcp]>=2", "numpy"]
"""
LOCK = """
[[package]]
name = "apache-beam"
version = "2.77.0"
[[package]]
name = "numpy"
version = "2.4.6"
[[package]]
name = "pytest"
version = "9.2.0"
"""


def test_requirements_txt_agrees_with_the_lock() -> None:
    pyproject, lock = (ROOT / "pyproject.toml").read_text(), (ROOT / "uv.lock").read_text()
    assert REQUIREMENTS.read_text() == render(pyproject, lock), "run `make requirements`"


def test_every_line_is_pinned_exactly() -> None:
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert all(re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\w.]+", line) for line in lines)


def test_direct_dependencies_keep_their_extras_and_take_the_locked_version() -> None:
    assert render(PYPROJECT, LOCK).splitlines()[1:] == [
        "Apache.Beam[gcp]==2.77.0",
        "numpy==2.4.6",
        "pytest==9.2.0",
    ]


def test_a_dependency_that_is_not_locked_is_an_error() -> None:
    with pytest.raises(KeyError, match="pytest"):
        render(PYPROJECT, LOCK.replace('"pytest"', '"other"'))
