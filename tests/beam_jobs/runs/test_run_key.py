"""The identity of a night is no matter of what its output does not depend on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.night_output import a_plan
from tests.support.specs import a_service

LIMITS = {"reference": {"psi": {"warn": 0.1, "stop": 0.25}}}


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"drift": LIMITS}, True),
        ({"labels": {"files": "truth/*.csv", "label": "truth", "metric": "rmse"}}, True),
        ({"streaming": {"topic": "requests", "subscription": "requests-sub"}}, True),
        ({"audit": {"min_rows": 7}}, False),
        ({"job": {"split_bytes": 1 << 20}}, False),
    ],
)
def test_the_run_key_follows_what_the_output_depends_on(
    changes: dict[str, Any], same: bool
) -> None:
    one, other = (a_plan(a_service(**parts), "work", rows=3) for parts in ({}, changes))
    assert (one.run_key == other.run_key) is same
