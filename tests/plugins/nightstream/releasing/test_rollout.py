"""What is next for an endpoint, from whatever is seen there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.remote.deployment import Deployed
from beam_jobs.runs.plan import ModelPin
from nightstream.releasing.rollout import (
    Deploy,
    Done,
    Endpoint,
    Missing,
    Shift,
    Undeploy,
    deployed_id_of,
    next_deployment,
    next_retirement,
    next_shift,
    next_withdrawal,
)
from nightstream.releasing.traffic import NEW

Action = Deploy | Shift | Undeploy | Done | Missing


def pin(version: str) -> ModelPin:
    return ModelPin(
        uri=f"gs://models/w/{version}", version=version, kind="sklearn", sha256="5" * 64
    )


OLD, NEXT, OTHER = pin("v1"), pin("v2"), pin("v9")
IDS = {p.uri: deployed_id_of(p) for p in (OLD, NEXT, OTHER)}


def endpoint(shares: Mapping[str, int]) -> Endpoint:
    """shares: percent by the version that is deployed."""
    deployed = [Deployed(IDS[f"gs://models/w/{v}"], f"gs://models/w/{v}/") for v in shares]
    traffic = {IDS[f"gs://models/w/{v}"]: share for v, share in shares.items() if share}
    return Endpoint("endpoints/1", "etag", deployed, traffic)


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    """Some of three versions, with any split."""
    versions = draw(st.lists(st.sampled_from(["v1", "v2", "v9"]), unique=True))
    if not versions:
        return endpoint({})
    first = draw(st.integers(0, 100))
    shares = [first, 100 - first] if len(versions) > 1 else [100]
    return endpoint(dict(zip(versions, [*shares, 0], strict=False)))


def after(seen: Endpoint, action: Action) -> Endpoint:
    """What Vertex AI makes of it; it refuses splits that do not add up, and unknown ids."""
    if not isinstance(action, Deploy | Shift | Undeploy):
        return seen
    deployed = list(seen.deployed)
    traffic = dict(action.traffic)
    if isinstance(action, Deploy):
        new = IDS[NEXT.uri]
        assert not seen.has(new)
        deployed.append(Deployed(new, NEXT.uri))
        named = {new if id_ == NEW else id_: share for id_, share in traffic.items()}
        traffic = named or dict(seen.traffic)
    if isinstance(action, Undeploy):
        deployed = [model for model in deployed if model.id != action.deployed_id]
        assert not traffic.get(action.deployed_id)
        assert len(seen.deployed) == 1 or not seen.share(action.deployed_id)
    assert set(traffic) <= {model.id for model in deployed}
    assert sum(traffic.values()) in (0, 100)
    return replace(seen, deployed=deployed, traffic=traffic)


@given(endpoints(), st.integers(1, 100))
def test_from_anywhere_the_candidate_gets_its_share_then_everything(
    seen: Endpoint, percent: int
) -> None:
    for _ in range(2):
        seen = after(seen, next_deployment(seen, NEXT, percent))
    assert isinstance(next_deployment(seen, NEXT, percent), Done)
    assert seen.share(IDS[NEXT.uri]) >= percent
    seen = after(seen, next_shift(seen, NEXT))
    assert isinstance(next_shift(seen, NEXT), Done)
    seen = after(seen, next_retirement(seen, NEXT, OLD))
    assert seen.serving(OLD) is None
    assert seen.traffic == {IDS[NEXT.uri]: 100}


@given(endpoints())
def test_from_anywhere_a_candidate_is_withdrawn_and_the_champion_answers(seen: Endpoint) -> None:
    had_traffic = seen.share(seen.serving(NEXT) or "") > 0
    for _ in range(2):
        seen = after(seen, next_withdrawal(seen, NEXT, OLD))
    assert isinstance(next_withdrawal(seen, NEXT, OLD), Done)
    assert seen.serving(NEXT) is None
    if had_traffic and seen.serving(OLD):
        assert seen.traffic == {IDS[OLD.uri]: 100}


def test_a_champion_whose_candidate_fails_has_all_of_the_traffic_again() -> None:
    seen = after(endpoint({"v1": 90, "v2": 10}), Shift({IDS[OLD.uri]: 100}))
    assert next_withdrawal(endpoint({"v1": 90, "v2": 10}), NEXT, OLD) == Shift({IDS[OLD.uri]: 100})
    assert next_withdrawal(seen, NEXT, OLD) == Undeploy(IDS[NEXT.uri], {IDS[OLD.uri]: 100})


def test_a_champion_that_somebody_gave_traffic_again_stays() -> None:
    assert isinstance(next_retirement(endpoint({"v1": 10, "v2": 90}), NEXT, OLD), Done)


def test_traffic_is_not_given_to_what_is_gone() -> None:
    assert isinstance(next_shift(endpoint({"v1": 100}), NEXT), Missing)


def test_a_version_that_is_deployed_under_another_id_is_found() -> None:
    seen = Endpoint("e", "", [Deployed("77", NEXT.uri)], {"77": 100})
    assert isinstance(next_deployment(seen, NEXT, 10), Done)


def test_the_id_of_a_deployed_model_follows_from_the_version() -> None:
    assert deployed_id_of(NEXT) == deployed_id_of(pin("v2"))
    assert deployed_id_of(NEXT) != deployed_id_of(OLD)
    assert len(deployed_id_of(NEXT)) == 10
    assert deployed_id_of(NEXT)[0] != "0"
