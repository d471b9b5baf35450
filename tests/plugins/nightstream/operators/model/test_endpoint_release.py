"""A version on its way to an endpoint's traffic, on the local Vertex AI."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, storage

from beam_jobs.objects import open_objects
from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.release import ReleasePlan
from nightstream.hooks.model_registry import ModelRegistryHook
from nightstream.hooks.rollout import RolloutHook
from nightstream.models import pin_model
from nightstream.operators.resolve import ResolveOperator
from nightstream.releasing.rollout import Endpoint
from nightstream.scoring.claims import Claim, Claims, claims_folder
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


@pytest.fixture(scope="module")
def candidate(champion: OnEndpoint) -> DagRun:
    """A release of a better version, as far as the endpoint has no part in it."""
    champion.upload("v2")
    return champion.registered(champion.run())


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


def test_a_server_refuses_bytes_of_another_checksum_and_the_next_try_deploys_anew(
    champion: OnEndpoint, candidate: DagRun
) -> None:
    artifact = f"{champion.models}/v2/model.joblib"
    released = champion.objects.read(artifact)
    champion.objects.put(artifact, b"something else")
    with pytest.raises(AirflowException, match=r"(?s)Vertex AI: Model server .*was not opened"):
        champion.finish(candidate, "deploy")
    champion.finish(candidate, "withdraw")
    assert champion.traffic == {"v1": 100}
    assert champion.champion == "v1"

    champion.objects.put(artifact, released)
    assert not champion.task("deploy", candidate, try_number=2).turn()
    plan = ReleasePlan.model_validate_json(champion.objects.read(champion.planned(candidate)))
    # As if the task had been killed before it could write down what it had begun.
    champion.objects.delete(plan.operation_uri("deploy"))
    # Its share it gets when no night is being scored.
    folder = claims_folder(champion.environment.buckets.work, "weights", date(2026, 1, 5))
    claims, tonight = Claims(champion.objects, folder, "key"), Claim(dag_id="b", run_id="tonight")
    claims.put(tonight)
    deploy = champion.task("deploy", candidate, try_number=2)
    while "v2" not in champion.traffic:
        assert not deploy.turn()
        deploy.wait()
    assert not deploy.turn()
    assert champion.traffic == {"v1": 100, "v2": 0}
    claims.remove(tonight)
    champion.finish(candidate, "deploy")
    assert champion.traffic == {"v1": 50, "v2": 50}


def test_a_night_that_comes_into_a_release_is_not_resolved_and_tries_again(
    champion: OnEndpoint, candidate: DagRun
) -> None:
    champion.finish(candidate, "deploy")
    assert champion.traffic == {"v1": 50, "v2": 50}

    resolve = ResolveOperator(
        task_id="resolve", spec=champion.spec, environment=champion.environment
    )
    with pytest.raises(AirflowException, match="a release may be under way") as refused:
        resolve.pinned_model(None)

    assert not isinstance(refused.value, AirflowFailException), "which would not be tried again"


def test_a_better_candidate_takes_over_step_by_step(
    champion: OnEndpoint, candidate: DagRun
) -> None:
    champion.finish(candidate, "deploy", "verify", "shift")
    assert champion.traffic == {"v1": 0, "v2": 100}
    assert champion.champion == "v1", "until all requests are answered by the candidate"
    champion.finish(candidate, "promote", "promote")
    assert champion.champion == "v2"


def test_an_answer_that_is_not_the_models_stops_the_release_and_the_candidate_is_withdrawn(
    champion: OnEndpoint, vertex: VertexCloud
) -> None:
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

    assert champion.traffic == {"v1": 0, "v2": 100}
    assert champion.champion == "v2"
    champion.finish(run, "withdraw")
    assert champion.traffic == {"v1": 0, "v2": 100}, "and once is enough"


def test_a_roll_back_in_the_time_of_grace_deploys_nothing_and_proves_nothing(
    champion: OnEndpoint,
) -> None:
    assert champion.champion == "v2"
    assert champion.traffic == {"v1": 0, "v2": 100}
    run = champion.run(action="roll_back")
    champion.finish(run, "candidate", "evaluate", "compare", "register")
    assert not champion.task("deploy", run).turn()
    assert champion.traffic == {"v1": 100, "v2": 0}
    champion.finish(run, "deploy", "verify", "shift", "promote")
    assert champion.champion == "v1"
    champion.finish(run, "retire", "retire")
    assert champion.traffic == {"v1": 100}


def test_a_roll_back_to_a_version_that_was_undeployed_deploys_it_first(
    champion: OnEndpoint,
) -> None:
    assert champion.traffic == {"v1": 100}
    run = champion.run(action="roll_back", model_version="v2")
    champion.finish(run, "candidate", "evaluate", "compare", "register", "deploy")
    champion.finish(run, "verify", "shift", "promote")
    assert champion.traffic == {"v1": 0, "v2": 100}
    assert champion.champion == "v2"


def test_a_registry_names_the_champion_and_its_alias_is_moved(service: OnEndpoint) -> None:
    spec = released_service({"source": "vertex_registry"}, name="heights")
    releases = Releases(service.environment, service.objects, spec)
    with pytest.raises(ModelError, match=r"has none with that alias. Remedy"):
        pinned(releases)

    for version, per in (("v1", 5.5), ("v2", 5.0)):
        releases.upload(version, per)
        run = releases.run()
        releases.evaluate(run)
        releases.finish(run, "compare", "register", "register", "promote", "promote")
        assert pinned(releases).version == version
    releases.finish(releases.run(action="roll_back"), "candidate", "register", "promote")

    assert pinned(releases).uri == f"{releases.models}/v1"
    assert releases.champion is None, "no object in the bucket names it"
    model = aiplatform.Model(ModelRegistryHook(releases.environment, spec).model)
    assert len(model.versioning_registry.list_versions()) == 2


def pinned(releases: Releases) -> ModelPin:
    """What a night would score with."""
    return pin_model(releases.spec, releases.environment, "champion", releases.objects, night=True)


def test_a_champion_is_not_withdrawn(champion: OnEndpoint) -> None:
    """A step after the alias was moved has failed: what is left is to clear it."""
    champion.upload("v4", per=5.0001)
    run = champion.registered(champion.run(model_version="v4"))
    champion.finish(run, "promote", "withdraw")
    assert champion.champion == "v4"
