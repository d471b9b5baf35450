"""Buckets through google-cloud-storage."""

from __future__ import annotations

import pytest
from google.api_core import exceptions
from google.cloud import storage


def test_a_bucket_must_be_made_before_it_is_used(client: storage.Client) -> None:
    with pytest.raises(exceptions.NotFound, match="bucket does not exist"):
        client.bucket("never-made").blob("x").upload_from_string("y")
    with pytest.raises(exceptions.NotFound):
        list(client.list_blobs("never-made"))
    assert client.lookup_bucket("never-made") is None


def test_a_bucket_is_made_once(client: storage.Client, bucket: str) -> None:
    with pytest.raises(exceptions.Conflict):
        client.create_bucket(bucket)


def test_what_its_creator_says_is_kept(client: storage.Client, bucket: str) -> None:
    made = client.bucket(bucket + "-eu")
    made.labels = {"team": "scoring"}
    made.create(location="EUROPE-WEST1")
    read = client.get_bucket(made.name)
    assert (read.location, read.labels) == ("EUROPE-WEST1", {"team": "scoring"})
    assert read.project_number is not None


def test_labels_are_patched_one_by_one(client: storage.Client, bucket: str) -> None:
    changed = client.get_bucket(bucket)
    changed.labels = {"a": "1", "b": "2"}
    changed.patch()
    read = client.get_bucket(bucket)
    assert (read.labels, read.metageneration) == ({"a": "1", "b": "2"}, 2)


def test_buckets_are_listed_by_prefix(client: storage.Client, bucket: str) -> None:
    assert [found.name for found in client.list_buckets(prefix=bucket)] == [bucket]


def test_a_full_bucket_is_not_deleted_and_an_empty_one_is(objects: storage.Bucket) -> None:
    objects.blob("x").upload_from_string("y")
    with pytest.raises(exceptions.Conflict, match="not empty"):
        objects.delete()
    objects.blob("x").delete()
    objects.delete()
    assert not objects.exists()


@pytest.mark.parametrize("name", ["UPPER", "a", "ends-", "white space"])
def test_a_bad_bucket_name_is_refused(client: storage.Client, name: str) -> None:
    with pytest.raises(exceptions.BadRequest, match="Invalid bucket name"):
        client._connection.api_request(method="POST", path="/b", data={"name": name})


def test_what_a_bucket_would_have_to_do_but_cannot_is_refused_by_name(
    client: storage.Client, bucket: str
) -> None:
    versioned = client.bucket(bucket + "-versioned")
    versioned.versioning_enabled = True
    with pytest.raises(exceptions.MethodNotImplemented, match="versioning"):
        versioned.create()
