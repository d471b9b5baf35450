"""The server: one port, one owner of its data, honest about what it does not do."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest

from local.cloud.__main__ import main
from local.cloud.config import CloudConfig
from local.cloud.folder import FolderLock, FolderTaken
from local.cloud.options import parser
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
        "/v1/projects/p/locations/us-central1/models",
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


def test_help_names_every_option_and_says_how_to_point_clients_at_it() -> None:
    shown = parser().format_help()
    assert "STORAGE_EMULATOR_HOST" in shown
    assert "LOCAL_CLOUD_FAULTS" in shown
    for setting in dataclasses.fields(CloudConfig):
        option = setting.name.removesuffix("_s").replace("images", "image").replace("_", "-")
        assert f"--{option}" in shown
    assert run("--help").stdout.split() == shown.split()


@pytest.mark.parametrize(
    ("option", "value", "remedy"),
    [
        ("--port", "99999", "a number up to 65535, or 0 for any free port"),
        ("--port", "http", "a number up to 65535, or 0 for any free port"),
        ("--data", __file__, "is not a folder"),
        ("--image", "scoring", "NAME=PYTHON[:PATH...]"),
        ("--image", "scoring=/no/python", "'/no/python' is not an interpreter"),
        ("--image", f"scoring={sys.executable}:/no/folder", "'/no/folder' is not a folder"),
        ("--entrypoint", "scoring", "NAME=COMMAND"),
        ("--entrypoint", "scoring=python -m scorer", "'scoring' is not an --image"),
        ("--pubsub", "8085", "HOST:PORT, like localhost:8085"),
        ("--streaming-buffer", "-1", "give 0 or more"),
        ("--streaming-buffer", "soon", "a number of seconds"),
        ("--streaming-bundle", "0", "a positive number"),
        ("--streaming-ack", "never", "choose from 'committed', 'first-stage'"),
        ("--monitoring-interval", "0", "a positive number of seconds"),
        ("--log-level", "loud", "choose from 'debug', 'info'"),
        ("--faults", "/no/such/file", "/no/such/file: No such file or directory"),
        ("--faults", __file__, "not JSON"),
        ("--colour", "red", "unrecognized arguments: --colour red"),
    ],
)
def test_a_bad_option_ends_with_one_line_that_mends_it(
    option: str, value: str, remedy: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", "--data", str(tmp_path), option, value])
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert option in line
    assert remedy in line
    assert "--help" in line


def test_a_folder_that_cannot_be_made_is_named_with_its_remedy() -> None:
    with pytest.raises(FolderTaken, match=r"/proc/none cannot be used \(.*\): .* --data"):
        FolderLock(Path("/proc/none"))


def test_a_host_that_is_not_here_is_named_with_its_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--port", "0", "--data", str(tmp_path), "--host", "192.0.2.1"]) == 1
    assert "Port 0 on 192.0.2.1 cannot be used" in capsys.readouterr().err


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
