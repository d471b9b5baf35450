"""kill -9 of the server while clients write."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from local.cloud.storage.model import Attributes
from local.cloud.storage.preconditions import Preconditions
from local.cloud.storage.store import ObjectStore
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.seeds import seeds

WRITERS = 6


def write_until_killed(number: int, acknowledged: dict[str, bytes]) -> None:
    """Overwrites and adds objects; notes each write that the server has acknowledged."""
    client = storage.Client(PROJECT, AnonymousCredentials())
    chance = random.Random(number)
    for step in range(10_000):
        name = f"{number}/{step % 20}"
        data = chance.randbytes(chance.randrange(200_000))
        attempted = f"{name} attempted"
        acknowledged[attempted] = data
        try:
            client.bucket("bucket").blob(name).upload_from_string(data, retry=None, timeout=10)
        except Exception:
            return
        acknowledged[name] = data
        del acknowledged[attempted]


@pytest.mark.parametrize("seed", seeds(3))
def test_every_acknowledged_object_is_there_after_kill(fresh_cloud: LocalCloud, seed: int) -> None:
    client = storage.Client(PROJECT)
    client.create_bucket("bucket")
    notes: list[dict[str, bytes]] = [{} for _ in range(WRITERS)]
    threads = [
        threading.Thread(target=write_until_killed, args=(seed * 100 + i, notes[i]))
        for i in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    threads[0].join(random.Random(seed).uniform(0.3, 0.9))
    fresh_cloud.kill()
    for thread in threads:
        thread.join()
    fresh_cloud.start()

    found = {
        blob.name: blob.download_as_bytes() for blob in client.list_blobs("bucket", page_size=100)
    }
    written = 0
    for note in notes:
        for name in [name for name in note if not name.endswith("attempted")]:
            written += 1
            # The write that was under way when the server died may have come through.
            assert found.pop(name) in (note[name], note.get(f"{name} attempted"))
    assert written > 0
    unsure = {name.removesuffix(" attempted") for note in notes for name in note}
    assert set(found) <= unsure


def test_a_crash_between_the_bytes_and_the_object_leaves_neither(fresh_cloud: LocalCloud) -> None:
    bucket = storage.Client(PROJECT).create_bucket("bucket")
    bucket.blob("x").upload_from_string("old")
    fresh_cloud.inject(kind="crash", point="storage.commit")
    with pytest.raises(requests.exceptions.ConnectionError):
        bucket.blob("x").upload_from_string("new", retry=None)
    assert fresh_cloud.wait() == 137
    blobs = fresh_cloud.data / "storage" / "blobs"
    assert sorted(file.read_text() for file in blobs.glob("*/*")) == ["new", "old"]
    fresh_cloud.start()
    assert bucket.blob("x").download_as_text() == "old"
    assert [file.read_text() for file in blobs.glob("*/*")] == ["old"]


def test_a_start_removes_bytes_that_belong_to_no_object(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    store.create_bucket("b", {})
    writer = store.new_blob()
    writer.write(b"kept")
    kept = store.commit("b", "x", writer.finish(), Attributes(), Preconditions())
    stray = store.new_blob()
    stray.write(b"never committed")
    store.close()

    again = ObjectStore(tmp_path)
    assert again.get("b", "x") == kept
    assert kept.path.read_bytes() == b"kept"
    assert not stray.path.exists()
    again.close()


def test_bytes_of_a_replaced_generation_stay_readable_for_a_while(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    store.create_bucket("b", {})

    def write(data: bytes):
        writer = store.new_blob()
        writer.write(data)
        return store.commit("b", "x", writer.finish(), Attributes(), Preconditions())

    old = write(b"old")
    write(b"new")
    assert store.get("b", "x", old.generation) is None
    assert old.path.read_bytes() == b"old"
    assert [stored.size for stored in store.list("b")] == [3]
    store.close()
