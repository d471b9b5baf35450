"""Fault knobs: armed by request, felt by real clients, counted and logged."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import requests
from google.api_core import exceptions
from google.cloud import storage

from local.cloud.__main__ import main
from local.cloud.faults.armed import ARMED, Faults
from local.cloud.faults.fault import Fault
from local.cloud.faults.points import AT_JOBS, AT_SERVER
from local.cloud.http import ApiError
from tests.support.local_cloud import PROJECT, ROOT, LocalCloud

READ = r"^/(download/)?storage/v1/b/[^/]+/o/"


@pytest.fixture
def cloud(cloud_env: LocalCloud) -> Iterator[LocalCloud]:
    yield cloud_env
    cloud_env.heal()


@pytest.fixture
def blob(cloud: LocalCloud, bucket: str) -> storage.Blob:
    made = storage.Client(cloud.env["GOOGLE_CLOUD_PROJECT"]).bucket(bucket).blob("x")
    made.upload_from_string("content")
    return made


def test_the_next_calls_fail_with_the_code_and_then_all_is_well(
    cloud: LocalCloud, blob: storage.Blob
) -> None:
    cloud.inject(kind="error", method="GET", path=READ, code=429, times=2)
    for _ in range(2):
        with pytest.raises(exceptions.TooManyRequests, match="fault knob"):
            blob.download_as_bytes(retry=None)
    assert blob.download_as_bytes(retry=None) == b"content"
    [shown] = cloud.call("GET", "/_local/faults")["faults"]
    assert (shown["matched"], shown["injected"]) == (3, 2)


def test_clients_retries_outlast_passing_errors(cloud: LocalCloud, blob: storage.Blob) -> None:
    cloud.inject(kind="error", path=READ, code=503, times=1)
    assert blob.download_as_bytes() == b"content"


def test_only_matching_calls_are_struck(cloud: LocalCloud, blob: storage.Blob) -> None:
    cloud.inject(kind="error", method="DELETE", path=READ)
    assert blob.download_as_bytes(retry=None) == b"content"
    with pytest.raises(exceptions.ServiceUnavailable):
        blob.delete(retry=None)
    cloud.heal()
    blob.delete(retry=None)


def test_the_first_calls_can_be_let_through(cloud: LocalCloud, blob: storage.Blob) -> None:
    cloud.inject(kind="error", path=READ, skip=1, times=1)
    assert blob.download_as_bytes(retry=None) == b"content"
    with pytest.raises(exceptions.ServiceUnavailable):
        blob.download_as_bytes(retry=None)


def test_an_error_after_the_work_leaves_it_done(cloud: LocalCloud, blob: storage.Blob) -> None:
    cloud.inject(kind="error", method="DELETE", path=READ, when="after", times=1)
    with pytest.raises(exceptions.ServiceUnavailable):
        blob.delete(retry=None)
    assert not blob.exists()


def test_latency_delays_and_changes_nothing(cloud: LocalCloud, blob: storage.Blob) -> None:
    cloud.inject(kind="latency", path=READ, seconds=0.3, times=1)
    begun = time.monotonic()
    assert blob.download_as_bytes(retry=None) == b"content"
    assert time.monotonic() - begun >= 0.3


def test_a_hanging_call_holds_up_no_other(cloud: LocalCloud, blob: storage.Blob) -> None:
    cloud.inject(kind="hang", path=READ, times=1)
    with pytest.raises(requests.exceptions.Timeout):
        blob.reload(retry=None, timeout=0.3)
    assert blob.download_as_bytes(retry=None) == b"content"


def test_a_reset_breaks_the_connection(cloud: LocalCloud, blob: storage.Blob) -> None:
    cloud.inject(kind="reset", path=READ, times=1)
    with pytest.raises(requests.exceptions.ConnectionError, match="reset"):
        blob.reload(retry=None)
    assert blob.download_as_bytes(retry=None) == b"content"


@pytest.mark.parametrize(("when", "written"), [("before", False), ("after", True)])
def test_a_crash_before_or_after_the_work(
    fresh_cloud: LocalCloud, when: str, written: bool
) -> None:
    bucket = storage.Client(fresh_cloud.env["GOOGLE_CLOUD_PROJECT"]).create_bucket("bucket")
    fresh_cloud.inject(kind="crash", path="^/upload/", when=when)
    with pytest.raises(requests.exceptions.ConnectionError):
        bucket.blob("x").upload_from_string("content", retry=None)
    assert fresh_cloud.wait() == 137
    fresh_cloud.start()
    assert bucket.blob("x").exists() == written
    assert "crash at POST /upload/" in fresh_cloud.log.read_text()


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        ({"kind": "nonsense", "path": "x"}, "unknown kind 'nonsense'; there are error, latency"),
        ({"path": "x"}, "kind: Field required"),
        ({"kind": "error"}, "either a path"),
        ({"kind": "error", "path": "x", "point": "storage.commit"}, "either a path"),
        ({"kind": "error", "path": "("}, "not a regular expression: ("),
        ({"kind": "error", "path": "x", "code": 200}, "code: Input should be"),
        ({"kind": "error", "path": "x", "typo": 1}, "unknown field typo; there are kind, method"),
        ({"kind": "error", "path": "x", "seconds": 1}, "seconds means nothing for a fault of kind"),
        ({"kind": "row", "path": "x"}, "says which ones by `row`"),
        ({"kind": "crash", "point": "y"}, "no point 'y'; there are storage.commit, "),
        ({"kind": "hang", "point": "storage.commit"}, "error or latency or crash"),
        ({"kind": "error", "point": "job.ready"}, "but latency or crash"),
        ({"kind": "crash", "point": "storage.commit", "job": "x"}, "job means nothing"),
    ],
)
def test_a_wrong_fault_is_refused_and_told_what_there_is(
    cloud: LocalCloud, fault: dict, refusal: str
) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        cloud.inject(**fault)
    assert raised.value.code == 400
    assert refusal in json.loads(raised.value.read())["error"]["message"]


def test_faults_are_armed_from_the_beginning_by_file_and_by_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "faults.json"
    file.write_text(json.dumps([{"kind": "error", "path": READ, "code": 429, "times": 1}]))
    hidden = {"kind": "error", "path": READ, "skip": 1, "times": 1}
    monkeypatch.setenv("LOCAL_CLOUD_FAULTS", json.dumps([hidden]))
    cloud = LocalCloud(tmp_path / "cloud", ["--faults", str(file)]).start()
    try:
        cloud.point_clients_here(monkeypatch)
        blob = storage.Client(PROJECT).create_bucket("bucket").blob("x")
        blob.upload_from_string("y")
        with pytest.raises(exceptions.TooManyRequests):
            blob.download_as_bytes(retry=None)
        with pytest.raises(exceptions.ServiceUnavailable):
            blob.download_as_bytes(retry=None)
        assert blob.download_as_bytes(retry=None) == b"y"
    finally:
        cloud.end()


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("{", "not JSON"),
        ('{"kind": "error"}', "not a JSON list of faults"),
        ('[{"kind": "eror", "path": "x"}]', "unknown kind 'eror'; there are error"),
    ],
)
def test_wrong_faults_in_the_environment_end_the_server_with_one_line(
    text: str,
    refusal: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LOCAL_CLOUD_FAULTS", text)
    assert main(["--port", "0", "--data", str(tmp_path / "cloud")]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("LOCAL_CLOUD_FAULTS: ")
    assert refusal in line


def test_a_share_of_calls_is_the_same_for_the_same_seed() -> None:
    def struck(seed: int) -> list[bool]:
        armed = Faults()
        armed.arm(Fault(kind="error", path="x", share=0.3, seed=seed))
        return [armed.at_request("GET", "/x") is not None for _ in range(200)]

    assert struck(1) == struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


def test_a_named_point_raises_only_when_armed() -> None:
    armed = Faults()
    armed.reach("storage.commit")
    armed.arm(Fault(kind="error", point="storage.commit", times=1))
    armed.reach("bigquery.job.begin")
    with pytest.raises(ApiError, match="fault knob"):
        armed.reach("storage.commit")
    armed.reach("storage.commit")


def test_counts_are_exact_with_many_threads() -> None:
    armed = Faults()
    armed.arm(Fault(kind="error", path="x", times=50))
    struck: list[object] = []

    def call() -> None:
        for _ in range(100):
            if fault := armed.at_request("GET", "/x"):
                struck.append(fault)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(struck) == 50


def test_the_readme_tells_every_kind_field_and_point() -> None:
    readme = (ROOT / "local/cloud/README.md").read_text()
    section = readme.partition("## Faults")[2].partition("\n## ")[0]
    kinds = get_args(Fault.model_fields["kind"].annotation)
    for name in {*kinds, *Fault.model_fields} - {"kind"}:
        assert f"`{name}`" in section
    for point, where in {**AT_SERVER, **AT_JOBS}.items():
        assert f"| `{point}` | {where}" in section


def test_nothing_is_armed_unless_asked() -> None:
    assert ARMED.shown() == []
