"""Listings through google-cloud-storage, and their rules as functions."""

from __future__ import annotations

import pytest
from google.api_core import exceptions
from google.cloud import storage
from hypothesis import given
from hypothesis import strategies as st

from local.cloud.storage.listing import ListQuery, glob_pattern, list_page

NAMES = ["a/", "a/1.csv", "a/2.csv", "a/sub/3.csv", "b/1.csv", "top.csv"]


@pytest.fixture
def full(objects: storage.Bucket) -> storage.Bucket:
    for name in NAMES:
        objects.blob(name).upload_from_string("")
    return objects


def names(found) -> list[str]:
    return [blob.name for blob in found]


def test_a_prefix_lists_the_folder_marker_and_everything_below(full: storage.Bucket) -> None:
    assert names(full.list_blobs(prefix="a/")) == ["a/", "a/1.csv", "a/2.csv", "a/sub/3.csv"]


def test_a_delimiter_folds_deeper_names_into_prefixes(full: storage.Bucket) -> None:
    listing = full.list_blobs(delimiter="/")
    assert (names(listing), listing.prefixes) == (["top.csv"], {"a/", "b/"})
    listing = full.list_blobs(prefix="a/", delimiter="/")
    assert (names(listing), listing.prefixes) == (["a/", "a/1.csv", "a/2.csv"], {"a/sub/"})


def test_trailing_delimiters_are_listed_when_asked_for(full: storage.Bucket) -> None:
    listing = full.list_blobs(delimiter="/", include_trailing_delimiter=True)
    assert (names(listing), listing.prefixes) == (["a/", "top.csv"], {"a/", "b/"})


def test_offsets_bound_the_names(full: storage.Bucket) -> None:
    found = full.list_blobs(start_offset="a/2.csv", end_offset="b/1.csv")
    assert names(found) == ["a/2.csv", "a/sub/3.csv"]


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*.csv", ["top.csv"]),
        ("**.csv", ["a/1.csv", "a/2.csv", "a/sub/3.csv", "b/1.csv", "top.csv"]),
        ("a/*.csv", ["a/1.csv", "a/2.csv"]),
        ("a/**/*.csv", ["a/1.csv", "a/2.csv", "a/sub/3.csv"]),
        ("{a,b}/1.csv", ["a/1.csv", "b/1.csv"]),
        ("?/[2-9].csv", ["a/2.csv"]),
    ],
)
def test_globs(full: storage.Bucket, glob: str, expected: list[str]) -> None:
    assert names(full.list_blobs(match_glob=glob)) == expected


@pytest.mark.parametrize("page_size", [1, 2, 5])
def test_pages_hold_everything_once(full: storage.Bucket, page_size: int) -> None:
    listing = full.list_blobs(page_size=page_size)
    pages = [names(page) for page in listing.pages]
    assert [name for page in pages for name in page] == NAMES
    assert max(len(page) for page in pages) == page_size


def test_max_results_ends_the_listing(full: storage.Bucket) -> None:
    assert names(full.list_blobs(max_results=2)) == NAMES[:2]


@given(
    names=st.sets(st.text("ab/é\U0001f600", min_size=1, max_size=6), max_size=30),
    prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "ab"]),
    limit=st.integers(1, 5),
)
def test_paging_never_changes_what_a_listing_holds(names, prefix, delimiter, limit) -> None:
    ordered = sorted(names)

    class Row:
        def __init__(self, name: str) -> None:
            self.name = name

    def scan(start: str):
        return (Row(name) for name in ordered if name >= start)

    items, prefixes, query = [], [], {"prefix": prefix, "delimiter": delimiter}
    query["maxResults"] = str(limit)
    while True:
        page = list_page(ListQuery.of(query), scan)
        assert len(page.items) + len(page.prefixes) <= limit
        items += [row.name for row in page.items]
        prefixes += page.prefixes
        if page.next_token is None:
            break
        query["pageToken"] = page.next_token
    matching = [name for name in ordered if name.startswith(prefix)]
    folded = [name for name in matching if delimiter and delimiter in name[len(prefix) :]]
    assert items == [name for name in matching if name not in folded]
    assert len(prefixes) == len(set(prefixes))
    assert all(any(name.startswith(folder) for folder in prefixes) for name in folded)


@given(st.text("ab/.^$+()|-,!&~#\n ", max_size=12))
def test_a_glob_without_wildcards_matches_itself_alone(glob: str) -> None:
    assert glob_pattern(glob).fullmatch(glob)
    assert not glob_pattern(glob).fullmatch(glob + "a")


def test_an_impossible_glob_is_refused(objects: storage.Bucket) -> None:
    with pytest.raises(exceptions.BadRequest, match="matchGlob"):
        list(objects.list_blobs(match_glob="[z-a]"))
