"""A version on its way to an endpoint's traffic, on the local Vertex AI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, storage

from beam_jobs.objects import open_objects
from nightstream.hooks.model_registry import ModelRegistryHook
from nightstream.hooks.rollout import RolloutHook
from nightstream.releasing.rollout import Endpoint
from tests.support.local_cloud import PROJECT
from tests.support.release_plans import released_service
from tests.support.releases import SERVER, SERVER_IMAGE, Releases
from tests.support.specs import an_environment
from tests.support.turns import DagRun
from tests.support.vertex_cloud import VertexCloud

BEFORE_THE_ENDPOINT = ("compare", "register")


class OnEndpoint(Releases):
    """A service whose models are asked at an endpoint."""

    def see(self) -> Endpoint:
        assert self.spec.model.endpoint is not None
        return RolloutHook(self.environment, self.spec.model.endpoint).see()

    @property
    def traffic(self) -> dict[str, int]:
        """Percent by version."""
        seen = self.see()
        return {m.artifact_uri.rpartition("/")[2]: seen.share(m.id) for m in seen.deployed}

    def registered(self, run: DagRun) -> DagRun:
        """The run, as far as the endpoint has no part in it."""
        self.evaluate(run)
        self.finish(run, *BEFORE_THE_ENDPOINT)
        return run


@pytest.fixture(scope="module")
def vertex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VertexCloud]:
    cloud = VertexCloud.started(tmp_path_factory.mktemp("vertex"), *SERVER)
    with pytest.MonkeyPatch.context() as patch:
        cloud.server.point_clients_here(patch)
        cloud.point_sdk_here()
        yield cloud
        cloud.server.end()


@pytest.fixture(scope="module")
def service(vertex: VertexCloud) -> OnEndpoint:
    client = storage.Client(PROJECT, AnonymousCredentials())
    buckets = {kind: f"scoring-{kind}" for kind in ("input", "work", "models")}
    for bucket in buckets.values():
        client.create_bucket(bucket)
    aiplatform.Endpoint.create(display_name="weights")
    environment = an_environment(
        vertex.server.url,
        buckets=buckets,
        vertex={"server_image": SERVER_IMAGE},
        airflow={"deferrable": False},
    )
    model = {"kind": "vertex_endpoint", "endpoint": {"name": "weights"}}
    releases = OnEndpoint(
        environment, open_objects("gs://", client), released_service(model, tolerance=1)
    )
    releases.upload("v1", per=5.5)
    return releases


@pytest.fixture(scope="module")
def champion(service: OnEndpoint) -> OnEndpoint:
    """The first version, released while tasks are killed."""
    run = service.run()
    service.evaluate(run)
    service.finish(run, "compare")
    _killed_after_each_turn(service, "register", run)
    _killed_after_each_turn(service, "deploy", run)
    service.finish(run, "shift", "promote", "retire")
    return service


def _killed_after_each_turn(service: OnEndpoint, task_id: str, run: DagRun) -> None:
    """Whatever a try remembers is gone, and the next one goes on."""
    for try_number in range(1, 200):
        task = service.task(task_id, run, try_number)
        if task.turn():
            return
        task.wait()


def test_the_first_version_gets_all_of_the_traffic_and_is_deployed_once(
    champion: OnEndpoint,
) -> None:
    assert champion.champion == "v1"
    assert champion.traffic == {"v1": 100}
    model = aiplatform.Model(ModelRegistryHook(champion.environment, champion.spec).model)
    (version,) = model.versioning_registry.list_versions()
    assert version.version_description.startswith("v1 sha256:")
    (evaluation,) = model.list_model_evaluations()
    assert set(evaluation.metrics) == {"rootMeanSquaredError"}


def test_a_better_candidate_takes_over_step_by_step_and_the_old_one_goes(
    champion: OnEndpoint,
) -> None:
    champion.upload("v2")
    run = champion.registered(champion.run())

    champion.finish(run, "deploy")
    assert champion.traffic == {"v1": 50, "v2": 50}
    champion.finish(run, "deploy", "verify", "shift")
    assert champion.traffic == {"v1": 0, "v2": 100}
    assert champion.champion == "v1", "until all requests are answered by the candidate"
    champion.finish(run, "promote", "promote")
    assert champion.champion == "v2"
    champion.finish(run, "retire", "retire")
    assert champion.traffic == {"v2": 100}


def test_an_answer_that_is_not_the_models_stops_the_release_and_the_candidate_is_withdrawn(
    champion: OnEndpoint, vertex: VertexCloud
) -> None:
    before = champion.traffic
    champion.upload("v3", per=5.001)
    run = champion.registered(champion.run(model_version="v3"))
    champion.finish(run, "deploy")
    vertex.server.inject(kind="corrupt", path=":rawPredict", answer="reordered")
    try:
        with pytest.raises(AirflowFailException, match="answer"):
            champion.finish(run, "verify")
    finally:
        vertex.server.heal()

    _killed_after_each_turn(champion, "withdraw", run)

    assert champion.traffic == before
    assert champion.champion == next(iter(before))
    champion.finish(run, "withdraw")
    assert champion.traffic == before, "and once is enough"


def test_a_roll_back_brings_the_champion_before_back_without_proof(champion: OnEndpoint) -> None:
    assert champion.champion == "v2"
    run = champion.run(action="roll_back")
    champion.finish(run, "candidate", "evaluate", "compare", "register", "deploy", "verify")
    assert champion.traffic == {"v1": 100, "v2": 0}
    champion.finish(run, "shift", "promote", "retire")
    assert champion.champion == "v1"
    assert champion.traffic == {"v1": 100}


def test_a_champion_is_not_withdrawn(champion: OnEndpoint) -> None:
    """A step after the alias was moved has failed: what is left is to clear it."""
    champion.upload("v4", per=5.0001)
    run = champion.registered(champion.run(model_version="v4"))
    champion.finish(run, "promote", "withdraw")
    assert champion.champion == "v4"
