"""Hung calls are kept where every worker of the revision finds them, for a day."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from beam_jobs.objects import ObjectInfo
from beam_jobs.objects.files import FileObjects
from beam_jobs.prediction.live.suspects import HungCall, RequestKey, Suspicion
from beam_jobs.prediction.live.suspects_folder import KEPT_FOR, KnownSuspects, SuspectsFolder
from tests.support.patience import PATIENCE_S

A, B = RequestKey("a", 0), RequestKey("b", 3)


def hung(*requests: RequestKey) -> HungCall:
    return HungCall(hung_at=datetime.now(UTC), seconds=60, requests=requests)


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "suspects")


@pytest.fixture
def folder(root: str) -> SuspectsFolder:
    return SuspectsFolder(root, "r1", FileObjects())


def make_old(uri: str) -> None:
    day_ago = time.time() - KEPT_FOR / timedelta(seconds=1) - 1
    os.utime(uri, (day_ago, day_ago))


def test_nothing_hung_where_there_is_no_folder(folder: SuspectsFolder) -> None:
    assert folder.suspects() == {}


def test_what_one_worker_records_another_one_knows(folder: SuspectsFolder, root: str) -> None:
    folder.record(hung(A, B))
    folder.record(hung(B))
    other = SuspectsFolder(root, "r1", FileObjects())
    assert other.suspects() == {
        A: Suspicion(in_company=1),
        B: Suspicion(alone=1, in_company=1),
    }


def test_calls_are_added_to_what_was_read_before(folder: SuspectsFolder) -> None:
    folder.record(hung(A))
    folder.suspects()
    folder.record(hung(A))
    assert folder.suspects() == {A: Suspicion(alone=2)}


def test_what_hung_another_revision_is_no_suspect(folder: SuspectsFolder, root: str) -> None:
    SuspectsFolder(root, "r2", FileObjects()).record(hung(A))
    assert folder.suspects() == {}


def test_after_a_day_a_call_is_forgotten_and_removed(folder: SuspectsFolder, root: str) -> None:
    old = folder.record(hung(A))
    old_of_another = SuspectsFolder(root, "r2", FileObjects()).record(hung(A))
    folder.record(hung(B))
    folder.suspects()
    make_old(old)
    make_old(old_of_another)

    assert folder.suspects() == {B: Suspicion(alone=1)}

    assert not Path(old).exists()
    assert not Path(old_of_another).exists()


def test_an_object_that_is_no_record_is_ignored(
    folder: SuspectsFolder, root: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder.record(hung(A))
    (Path(root) / "r1" / "note.json").write_text("{not json")
    assert folder.suspects() == {A: Suspicion(alone=1)}
    assert "note.json is no record of a hung call" in caplog.text


class Troubled(FileObjects):
    """Fails, then hangs, then works."""

    def __init__(self) -> None:
        self.fails = threading.Event()
        self.works = threading.Event()
        self.fails.set()

    def list(self, prefix: str) -> list[ObjectInfo]:
        if self.fails.is_set():
            raise ConnectionError("no route to the bucket")
        self.works.wait(60)
        return super().list(prefix)


@pytest.fixture
def troubled() -> Iterator[Troubled]:
    objects = Troubled()
    yield objects
    objects.fails.clear()
    objects.works.set()


def wait_until_known(known: KnownSuspects, request: RequestKey) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while request not in known.now:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_bucket_that_fails_leaves_what_is_known_and_is_read_again(
    root: str, troubled: Troubled, caplog: pytest.LogCaptureFixture
) -> None:
    folder = SuspectsFolder(root, "r1", troubled)
    known = KnownSuspects(folder, refresh_seconds=0.01)

    known.start(patience_seconds=PATIENCE_S)

    assert known.now == {}
    assert "no route to the bucket" in caplog.text
    folder.record(hung(A))
    troubled.fails.clear()
    troubled.works.set()
    wait_until_known(known, A)
    troubled.fails.set()
    assert known.now == {A: Suspicion(alone=1)}
    known.close()


def test_a_bucket_that_hangs_does_not_keep_the_worker_from_starting(
    root: str, troubled: Troubled, caplog: pytest.LogCaptureFixture
) -> None:
    troubled.fails.clear()
    folder = SuspectsFolder(root, "r1", troubled)
    folder.record(hung(A))
    known = KnownSuspects(folder, refresh_seconds=0.01)

    known.start(patience_seconds=0.05)

    assert known.now == {}
    assert "cannot be read yet" in caplog.text
    troubled.works.set()
    wait_until_known(known, A)
    known.close()
