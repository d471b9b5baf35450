"""python -m nightstream.reconcile, against the real local cloud."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from nightstream.reconcile import main
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.specs import a_service, an_environment

DAYS = ["--from", "2026-01-05", "--to", "2026-01-06"]


@pytest.fixture
def dags(tmp_path: Path, cloud_env: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the service `weights` and an environment of its own."""
    name = f"r{uuid.uuid4().hex[:12]}"
    buckets = {kind: f"{kind}-{name}" for kind in ("input", "work", "models")}
    for bucket in buckets.values():
        cloud_env.call("POST", "/storage/v1/b", {"name": bucket})
    bigquery.Client(PROJECT, AnonymousCredentials()).create_dataset(name)
    environment = an_environment(cloud_env.url, buckets=buckets, bigquery={"dataset": name})
    for kind, file, declared in (
        ("environments", "test", environment),
        ("services", "weights", a_service()),
    ):
        (tmp_path / kind).mkdir()
        text = yaml.safe_dump(declared.model_dump(mode="json"))
        (tmp_path / kind / f"{file}.yaml").write_text(text)
    monkeypatch.setenv("NIGHTSTREAM_ENV", "test")
    return tmp_path


def command(dags: Path, *arguments: str, service: str = "weights") -> int:
    return main(["--service", service, "--dags", str(dags), *arguments])


def test_books_that_close_are_said_to(dags: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(dags, *DAYS) == 0
    assert "zero differences: the books close" in capsys.readouterr().out


def test_a_difference_is_printed_and_the_exit_code_is_1(
    dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    buckets = yaml.safe_load((dags / "environments" / "test.yaml").read_text())["buckets"]
    client = storage.Client(PROJECT, AnonymousCredentials())
    client.bucket(buckets["input"]).blob("weights/2026-01-05/a.csv").upload_from_string("id,weeks")
    assert command(dags, *DAYS) == 1
    said = capsys.readouterr().out
    assert "DIFFERS" in said
    assert "a.csv. Remedy: run the night" in said


def test_what_cannot_be_opened_is_said_with_its_remedy(
    dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(dags, *DAYS, service="heights") == 2
    assert "Remedy: name one of weights" in capsys.readouterr().err
    assert command(dags, "--from", "2026-01-06", "--to", "2026-01-05") == 2
    assert "is before --from" in capsys.readouterr().err
