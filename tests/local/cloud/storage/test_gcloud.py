"""`gcloud storage`, as installed."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud import storage

from tests.support.local_cloud import PROJECT, LocalCloud

BUCKETS = "/storage/v1/b?project=any"


@pytest.fixture
def gcloud(cloud_env: LocalCloud, tmp_path: Path) -> Callable[..., str]:
    env = {
        **os.environ,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{cloud_env.url}/storage/v1/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CONFIG": str(tmp_path / "config"),
        "CLOUDSDK_CORE_PROJECT": PROJECT,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }

    def run(*arguments: str) -> str:
        command = ["gcloud", "storage", *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_gcloud_synchronises_lists_copies_and_removes(
    gcloud: Callable[..., str], cloud_env: LocalCloud, bucket: str, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "big.bin").write_bytes(random.Random(1).randbytes(9_000_000))
    (folder / "deep" / "small.csv").write_text("1,2\n")

    gcloud("rsync", "--recursive", str(folder), f"gs://{bucket}/in")
    listed = gcloud("ls", "--recursive", f"gs://{bucket}/in/").split()
    assert f"gs://{bucket}/in/big.bin" in listed
    assert f"gs://{bucket}/in/deep/small.csv" in listed
    gcloud("cp", f"gs://{bucket}/in/big.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == (folder / "big.bin").read_bytes()
    gcloud("rm", "--recursive", f"gs://{bucket}")
    assert all(found["name"] != bucket for found in cloud_env.call("GET", BUCKETS)["items"])


def test_gcloud_copies_folders_and_mirrors_what_was_deleted(
    gcloud: Callable[..., str], objects: storage.Bucket, tmp_path: Path
) -> None:
    def names() -> list[str]:
        return sorted(blob.name for blob in objects.list_blobs())

    folder, url = tmp_path / "folder", f"gs://{objects.name}"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.csv", "b.csv", "deep/c.csv"):
        (folder / name).write_text(name)

    gcloud("cp", "--recursive", str(folder), url)
    assert names() == ["folder/a.csv", "folder/b.csv", "folder/deep/c.csv"]
    long = gcloud("ls", "--long", f"{url}/folder/").splitlines()
    assert [line.split()[0] for line in long[:2]] == ["5", "5"]
    assert long[-1].startswith("TOTAL: 2 objects, 10 bytes")
    gcloud("cp", "--if-generation-match=0", f"{url}/folder/a.csv", f"{url}/copy.csv")
    assert objects.blob("copy.csv").download_as_text() == "a.csv"
    (folder / "b.csv").unlink()
    mirror = ("rsync", "--recursive", "--delete-unmatched-destination-objects")
    gcloud(*mirror, str(folder), f"{url}/folder")
    assert names() == ["copy.csv", "folder/a.csv", "folder/deep/c.csv"]
    gcloud("rm", f"{url}/folder/**")
    assert names() == ["copy.csv"]


def test_gcloud_is_told_of_a_generation_that_has_changed(
    gcloud: Callable[..., str], objects: storage.Bucket
) -> None:
    for name in ("from", "to"):
        objects.blob(name).upload_from_string(name)
    with pytest.raises(AssertionError, match="FAILED_PRECONDITION"):
        gcloud(
            "cp",
            "--if-generation-match=0",
            f"gs://{objects.name}/from",
            f"gs://{objects.name}/to",
        )
    assert objects.blob("to").download_as_text() == "to"
