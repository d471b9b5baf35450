"""The server: one port, one owner of its data, honest about what it does not do."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error

import pytest

from tests.support.local_cloud import ROOT, LocalCloud


def error_of(cloud: LocalCloud, method: str, path: str) -> dict:
    with pytest.raises(urllib.error.HTTPError) as raised:
        cloud.call(method, path)
    return json.loads(raised.value.read())["error"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.cloud", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_a_running_server_is_healthy(local_cloud: LocalCloud) -> None:
    assert local_cloud.call("GET", "/healthz") == {"status": "ok"}


@pytest.mark.parametrize(
    "path",
    [
        "/storage/v1/b?project=p",
        "/bigquery/v2/projects/p/datasets",
        "/v1b3/projects/p/locations/us-central1/jobs",
    ],
)
def test_every_api_answers_on_the_one_port(local_cloud: LocalCloud, path: str) -> None:
    assert isinstance(local_cloud.call("GET", path), dict)


def test_an_unknown_path_is_404_in_googles_shape(local_cloud: LocalCloud) -> None:
    error = error_of(local_cloud, "GET", "/nowhere/at/all")
    assert (error["code"], error["status"]) == (404, "NOT_FOUND")
    assert "GET /nowhere/at/all" in error["message"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/storage/v1/b/some/acl"), ("PUT", "/storage/v1/b/some")]
)
def test_a_call_an_api_has_but_this_server_has_not_is_501_and_named(
    local_cloud: LocalCloud, method: str, path: str
) -> None:
    error = error_of(local_cloud, method, path)
    assert (error["code"], error["status"]) == (501, "UNIMPLEMENTED")
    assert f"{method} {path}" in error["message"]


def test_a_second_server_on_the_same_data_is_refused_with_pid_and_remedy(
    local_cloud: LocalCloud,
) -> None:
    second = run("--port", "0", "--data", str(local_cloud.data))
    assert second.returncode == 1
    assert f"pid {local_cloud.pid}" in second.stderr
    assert "--data" in second.stderr


def test_a_taken_port_is_named_with_its_remedy(local_cloud: LocalCloud, tmp_path) -> None:
    second = run("--port", str(local_cloud.port), "--data", str(tmp_path / "other"))
    assert second.returncode == 1
    assert f"Port {local_cloud.port}" in second.stderr
    assert "--port" in second.stderr


def test_help_says_how_to_point_clients_at_it() -> None:
    shown = run("--help").stdout
    assert "STORAGE_EMULATOR_HOST" in shown
    assert "--image NAME=PYTHON" in shown


def test_sigterm_ends_it_with_success_and_its_data_can_be_served_again(
    fresh_cloud: LocalCloud,
) -> None:
    fresh_cloud.call("POST", "/storage/v1/b", {"name": "kept"})
    assert fresh_cloud.stop() == 0
    fresh_cloud.start()
    assert fresh_cloud.call("GET", "/storage/v1/b/kept")["name"] == "kept"


def test_kill_leaves_the_data_free_for_the_next_server(fresh_cloud: LocalCloud) -> None:
    fresh_cloud.call("POST", "/storage/v1/b", {"name": "kept"})
    fresh_cloud.kill()
    fresh_cloud.start()
    assert fresh_cloud.call("GET", "/storage/v1/b/kept")["name"] == "kept"
