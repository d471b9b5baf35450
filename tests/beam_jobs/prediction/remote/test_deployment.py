"""A night is answered by the version that it pins, and by no other."""

from __future__ import annotations

import pytest

from beam_jobs.prediction.remote.deployment import (
    Deployed,
    OtherTrafficError,
    deployment_of,
    endpoint_of,
)
from beam_jobs.prediction.versions import ModelError

V1, V2 = "gs://models/weights/v1", "gs://models/weights/v2"
BOTH = [Deployed("1", V1), Deployed("2", f"{V2}/")]


def test_the_version_with_all_of_the_traffic_is_pinned() -> None:
    assert deployment_of(V1, "e", BOTH, {"1": 100, "2": 0}) == "1"
    assert deployment_of(V2, "e", BOTH, {"2": 100}) == "2"


def test_of_one_version_deployed_twice_the_one_with_the_traffic_is_pinned() -> None:
    assert deployment_of(V1, "e", [*BOTH, Deployed("3", V1)], {"3": 100}) == "3"


@pytest.mark.parametrize("traffic", [{"1": 90, "2": 10}, {"1": 0, "2": 100}, {}])
def test_traffic_of_another_version_is_refused_with_the_remedy(traffic: dict[str, int]) -> None:
    with pytest.raises(OtherTrafficError, match="Remedy: give it all of the traffic"):
        deployment_of(V1, "e", BOTH, traffic)


def test_a_version_that_is_not_deployed_is_refused_with_the_remedy() -> None:
    with pytest.raises(ModelError, match=r"v3 is not deployed on e.*v1.*Remedy: deploy"):
        deployment_of("gs://models/weights/v3", "e", BOTH, {"1": 100})


@pytest.mark.parametrize("found", [[], ["endpoints/1", "endpoints/2"]])
def test_a_display_name_must_be_that_of_one_endpoint(found: list[str]) -> None:
    assert endpoint_of("weights", ["endpoints/1"]) == "endpoints/1"
    with pytest.raises(ModelError, match="Remedy: write the id"):
        endpoint_of("weights", found)
