"""A ledger in the real local object store."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from beam_jobs.objects import open_objects
from nightstream.publishing.ledger import Ledger, Publisher
from nightstream.publishing.ledgers import LedgerChangedError, LedgerFile, ledger_uri
from tests.support.local_cloud import PROJECT, LocalCloud

UNTIL = datetime(2026, 1, 6, tzinfo=UTC)


@pytest.fixture
def file(bucket: str) -> LedgerFile:
    client = storage.Client(PROJECT, AnonymousCredentials())
    uri = ledger_uri(bucket, "weights", date(2026, 1, 5))
    assert uri == f"gs://{bucket}/weights/published/2026-01-05.json"
    return LedgerFile(open_objects(uri, client), uri)


def leased(run_id: str) -> Ledger:
    holder = Publisher(
        dag_id="weights_batch", run_id=run_id, try_number=1, run_key="a", manifest_uri="gs://a"
    )
    return Ledger().leased(holder, UNTIL)


def test_a_night_nobody_published_has_an_empty_ledger(file: LedgerFile) -> None:
    assert file.read() == (Ledger(), 0)


def test_what_is_swapped_in_is_read_back(file: LedgerFile) -> None:
    first = file.swap(leased("one"), 0)
    assert file.read() == (leased("one"), first)
    second = file.swap(leased("two"), first)
    assert file.read() == (leased("two"), second)


def test_of_two_who_saw_the_same_ledger_one_may_write(file: LedgerFile) -> None:
    file.swap(leased("one"), 0)
    with pytest.raises(LedgerChangedError):
        file.swap(leased("two"), 0)
    assert file.read()[0] == leased("one")


def test_a_write_whose_answer_was_lost_is_known_as_ones_own(
    file: LedgerFile, cloud_env: LocalCloud
) -> None:
    cloud_env.inject(kind="reset", method="POST", path="/upload/storage/", when="after", times=1)
    try:
        generation = file.swap(leased("one"), 0)
    finally:
        cloud_env.heal()
    assert file.read() == (leased("one"), generation)
