"""Aliases are moved by compare-and-swap."""

from __future__ import annotations

import pytest

from beam_jobs.objects import Objects, PreconditionError
from beam_jobs.prediction.aliases import Alias, move_alias, read_alias
from beam_jobs.prediction.versions import ModelError, versions_of


@pytest.mark.usefixtures("folder")
def test_an_alias_is_made_moved_and_read(root: str, objects: Objects) -> None:
    assert read_alias(root, "newest", objects) == Alias(None, 0)
    move_alias(root, "newest", "v1", Alias(None, 0), objects)
    seen = read_alias(root, "newest", objects)
    assert seen.version == "v1"
    assert seen.generation


@pytest.mark.usefixtures("folder")
def test_an_alias_that_was_moved_since_is_left_as_it_is(root: str, objects: Objects) -> None:
    seen = read_alias(root, "newest", objects)
    objects.put(f"{root}/newest", b"v7")
    with pytest.raises(PreconditionError):
        move_alias(root, "newest", "v1", seen, objects)
    assert read_alias(root, "newest", objects).version == "v7"


@pytest.mark.usefixtures("folder")
def test_an_alias_that_says_so_already_is_no_error(root: str, objects: Objects) -> None:
    """The answer to one's own write may have been lost."""
    objects.put(f"{root}/newest", b"v1\n")
    move_alias(root, "newest", "v1", Alias(None, 0), objects)
    assert read_alias(root, "newest", objects).version == "v1"


def test_an_alias_is_not_moved_to_nowhere(root: str, objects: Objects) -> None:
    with pytest.raises(ModelError, match=r"holds no version 'v9'. Remedy"):
        move_alias(root, "newest", "v9", Alias(None, 0), objects)


@pytest.mark.usefixtures("folder")
def test_versions_are_folders_with_a_description(root: str, objects: Objects) -> None:
    objects.put(f"{root}/champion", b"v1")
    objects.put(f"{root}/v2/model.joblib", b"half a version")
    objects.put(f"{root}/v3/older/model.json", b"{}")
    assert set(versions_of(root, objects)) == {"v1"}
