"""Beam's and Airflow's own storage clients."""

from __future__ import annotations

import hashlib
import random

import pytest
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.gcp.gcsio import GcsIO
from apache_beam.options.pipeline_options import PipelineOptions

from tests.support.local_cloud import LocalCloud


@pytest.fixture
def gcs(bucket: str) -> str:
    """gs:// URI of a new bucket, with Beam's file systems ready."""
    FileSystems.set_options(PipelineOptions())
    return f"gs://{bucket}"


def test_200_megabytes_through_gcsio(gcs: str) -> None:
    piece = random.Random(1).randbytes(10_000_000)
    io = GcsIO()
    sent = hashlib.sha256()
    with io.open(f"{gcs}/big", "w") as file:
        for _ in range(20):
            file.write(piece)
            sent.update(piece)
    assert io.size(f"{gcs}/big") == 200_000_000
    received = hashlib.sha256()
    with io.open(f"{gcs}/big", "r") as file:
        while chunk := file.read(16 * 1024 * 1024):
            received.update(chunk)
    assert received.digest() == sent.digest()


def test_gcsio_reads_from_any_position(gcs: str) -> None:
    io = GcsIO()
    with io.open(f"{gcs}/x", "w") as file:
        file.write(b"0123456789" * 100_000)
    with io.open(f"{gcs}/x", "r") as file:
        file.seek(999_995)
        assert file.read() == b"56789"
        file.seek(3)
        assert file.read(4) == b"3456"


def test_beam_file_systems_match_rename_copy_and_delete(gcs: str) -> None:
    for name in ("in/a.csv", "in/b.csv", "in/deep/c.csv"):
        with FileSystems.create(f"{gcs}/{name}") as file:
            file.write(name.encode())

    def matching(pattern: str) -> list[str]:
        [found] = FileSystems.match([pattern])
        return sorted(meta.path.removeprefix(f"{gcs}/") for meta in found.metadata_list)

    assert matching(f"{gcs}/in/*.csv") == ["in/a.csv", "in/b.csv"]
    assert matching(f"{gcs}/in/**") == ["in/a.csv", "in/b.csv", "in/deep/c.csv"]
    FileSystems.rename([f"{gcs}/in/a.csv"], [f"{gcs}/out/a.csv"])
    FileSystems.copy([f"{gcs}/in/b.csv"], [f"{gcs}/out/b.csv"])
    assert matching(f"{gcs}/out/*") == ["out/a.csv", "out/b.csv"]
    assert not FileSystems.exists(f"{gcs}/in/a.csv")
    FileSystems.delete([f"{gcs}/in/", f"{gcs}/out/*"])
    assert matching(f"{gcs}/**") == []


@pytest.fixture
def hook(cloud_env: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> GCSHook:
    """Any connection will do: the credentials come from the metadata server."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", cloud_env.env["GOOGLE_CLOUD_PROJECT"])
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", "google-cloud-platform://")
    return GCSHook()


def test_airflows_hook_writes_lists_copies_and_deletes(
    hook: GCSHook, bucket: str, tmp_path
) -> None:
    local = tmp_path / "night.csv"
    local.write_text("1,2\n")
    hook.upload(bucket, "in/night.csv", filename=str(local))
    hook.upload(bucket, "in/READY", data="")
    assert hook.exists(bucket, "in/READY")
    assert hook.list(bucket, prefix="in/") == ["in/READY", "in/night.csv"]
    assert hook.list(bucket, match_glob="**/*.csv") == ["in/night.csv"]
    assert hook.download(bucket, "in/night.csv") == b"1,2\n"
    assert hook.get_size(bucket, "in/night.csv") == 4
    hook.rewrite(bucket, "in/night.csv", bucket, "copy.csv")
    hook.compose(bucket, ["copy.csv", "in/night.csv"], "both.csv")
    assert hook.download(bucket, "both.csv") == b"1,2\n1,2\n"
    hook.delete(bucket, "in/READY")
    assert not hook.exists(bucket, "in/READY")


def test_airflows_hook_makes_and_deletes_buckets(hook: GCSHook, bucket: str) -> None:
    made = f"{bucket}-made"
    hook.create_bucket(bucket_name=made, location="US-CENTRAL1", labels={"a": "b"}, project_id="p")
    assert hook.get_bucket(made).exists()
    hook.delete_bucket(bucket_name=made, force=True)
    assert not hook.get_bucket(made).exists()
