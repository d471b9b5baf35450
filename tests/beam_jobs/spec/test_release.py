"""What a spec may say of releases."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from beam_jobs.spec.release import DeploymentSpec
from tests.support.release_plans import released_service
from tests.support.specs import a_service

TWO = [{"name": "weight"}, {"name": "height"}, {"name": "colour", "type": "string"}]


def test_a_service_without_releases_says_nothing_of_them() -> None:
    assert a_service().model.release is None
    assert a_service().model.source == "gcs"


def test_the_only_output_is_the_one_that_is_compared() -> None:
    assert released_service().model.compared_output == "weight"
    assert released_service({"outputs": TWO}, output="height").model.compared_output == "height"


@pytest.mark.parametrize(
    ("release", "model", "said"),
    [
        ({}, {"outputs": TWO}, "the model has several outputs"),
        ({"output": "colour"}, {"outputs": TWO}, "'colour', which is no output with numbers"),
        ({"output": "depth"}, {}, "'depth', which is no output with numbers"),
        ({"held_out": {"path": "a.csv", "label": "weeks"}}, {}, "'weeks' is fed to the model"),
        ({"held_out": {"path": "a.csv", "label": "id"}}, {}, "'id' is of type string"),
        ({"held_out": {"path": "gs://b/a.csv", "label": "t"}}, {}, "is not the name of an object"),
        ({"traffic_percent": 0}, {}, "greater than or equal to 1"),
        ({"tolerance": -1}, {}, "greater than or equal to 0"),
        ({"metric": "r2"}, {}, "Input should be"),
    ],
)
def test_what_no_release_could_stand_on_is_refused(
    release: dict[str, Any], model: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        released_service(model, **release)


def test_at_least_is_not_more_than_at_most() -> None:
    with pytest.raises(ValidationError, match="min_replicas is 3"):
        DeploymentSpec(min_replicas=3)
