"""Long-running operations and deployed models, through crashes and restarts of the server."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import psutil
import pytest
import requests
from google.api_core.exceptions import NotFound, ServiceUnavailable
from google.cloud import aiplatform

from local.cloud.aiplatform.serving.deployments import serving_root
from local.cloud.aiplatform.stop import stop_deployments
from local.stack.processes import all_processes
from tests.support.dataflow_cloud import eventually
from tests.support.vertex_cloud import PLACE, VertexCloud


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VertexCloud]:
    """A cloud of these tests' own, to be killed."""
    cloud = VertexCloud.started(tmp_path_factory.mktemp("mortal"))
    yield cloud
    cloud.server.end()


@pytest.fixture
def served(mortal: VertexCloud) -> Iterator[aiplatform.Endpoint]:
    """An endpoint of it that serves a model."""
    mortal.point_sdk_here()
    endpoint = mortal.endpoint()
    endpoint.deploy(mortal.upload(), machine_type="m")
    yield endpoint
    endpoint.delete(force=True)
    mortal.server.verify()


def processes(cloud: VertexCloud) -> list[psutil.Process]:
    """Supervisors and containers of the deployed models of a cloud."""
    root = str(serving_root(cloud.server.data))
    found = []
    for process in all_processes("cmdline", "cwd"):
        words = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        if any(word.startswith(root) for word in words):
            found.append(process)
    return found


def test_an_operation_is_answered_running_and_found_done(vertex: VertexCloud) -> None:
    vertex.server.inject(kind="latency", point="aiplatform.operation.begin", seconds=0.7, times=1)
    begun = vertex.server.call("POST", f"/v1/{PLACE}/endpoints", {"displayName": "slow"})
    assert "done" not in begun
    assert begun["metadata"]["@type"].endswith("v1.CreateEndpointOperationMetadata")
    name = f"/v1/{begun['name']}"
    assert "done" not in vertex.server.call("GET", name)
    ended = vertex.server.call("POST", f"{name}:wait?timeout=30s")
    assert ended["done"]
    assert ended["response"]["displayName"] == "slow"
    endpoint = name.partition("/operations/")[0]
    listed = vertex.server.call("GET", f"{endpoint}/operations")["operations"]
    assert [operation["name"] for operation in listed] == [begun["name"]]
    vertex.server.call("DELETE", name)
    assert "operations" not in vertex.server.call("GET", f"{endpoint}/operations")


def test_an_operation_that_fails_says_so_and_leaves_nothing(vertex: VertexCloud) -> None:
    vertex.server.inject(
        kind="error", point="aiplatform.operation.commit", code=503, message="no luck", times=1
    )
    with pytest.raises(ServiceUnavailable, match="no luck"):
        vertex.endpoint(endpoint_id="unlucky")
    listed = aiplatform.Endpoint.list(filter="endpoint=unlucky")
    assert listed == []


def test_a_deployment_goes_on_after_the_servers_death(mortal: VertexCloud) -> None:
    mortal.point_sdk_here()
    endpoint = mortal.endpoint()
    model = mortal.upload(serving_container_environment_variables={"DELAY": "1"})
    resources = {"machineSpec": {}, "minReplicaCount": 1}
    body = {
        "deployedModel": {"model": model.resource_name, "dedicatedResources": resources},
        "trafficSplit": {"0": 100},
    }
    path = f"/v1/{endpoint.resource_name}:deployModel"
    begun = mortal.server.call("POST", path, body)
    eventually(lambda: len(processes(mortal)) == 2)
    mortal.server.kill()
    before = processes(mortal)
    mortal.server.start()
    ended = mortal.server.call("POST", f"/v1/{begun['name']}:wait")
    assert ended["response"]["deployedModel"]["model"] == model.resource_name
    assert endpoint.predict([{"x": 1}]).predictions == [{"twice": 2.0}]
    assert processes(mortal) == before
    endpoint.delete(force=True)
    assert processes(mortal) == []


def test_deployed_models_outlive_the_server_until_they_are_stopped_and_the_next_serves_them_again(
    mortal: VertexCloud, served: aiplatform.Endpoint
) -> None:
    assert mortal.server.stop() == 0
    assert len(processes(mortal)) == 2
    assert stop_deployments(mortal.server.data) == 1
    assert processes(mortal) == []
    mortal.server.start()

    def answers() -> bool:
        try:
            return bool(served.predict([{"x": 1}]).predictions)
        except ServiceUnavailable:
            return False

    eventually(answers)


def test_after_crashes_the_next_server_makes_good_what_was_begun(
    mortal: VertexCloud, served: aiplatform.Endpoint
) -> None:
    """The container dies with its supervisor; the server at the commit of an upload."""
    folder = serving_root(mortal.server.data) / served.list_models()[0].id
    os.kill(int((folder / "lock").read_text()), signal.SIGKILL)
    eventually(lambda: not processes(mortal))
    mortal.server.inject(kind="crash", point="aiplatform.operation.commit", times=1)
    with contextlib.suppress(requests.ConnectionError):
        mortal.post(f"/v1/{PLACE}/models:upload", b'{"model": {"displayName": "begun"}}')
    assert mortal.server.wait() == 137
    mortal.server.start()
    eventually(lambda: len(processes(mortal)) == 2)
    eventually(lambda: [m.version_id for m in aiplatform.Model.list("display_name=begun")] == ["1"])


def test_an_operation_that_is_not_there_is_404(vertex: VertexCloud) -> None:
    answer = vertex.get(f"/v1/{PLACE}/models/12/operations/12")
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"
    with pytest.raises(NotFound):
        aiplatform.Model(f"{PLACE}/models/12")
