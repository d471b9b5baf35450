"""What is decided without any process: traffic, aliases, variables, filters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloud.aiplatform.endpoints.traffic import Split, checked, choose, with_new, without
from local.cloud.aiplatform.listing import listed
from local.cloud.aiplatform.models.aliases import merged
from local.cloud.aiplatform.serving.expansion import environment, expanded
from local.cloud.http import ApiError


@st.composite
def splits(draw: st.DrawFn) -> Split:
    """Shares of one to five models that add up to 100, some of them 0."""
    cuts = sorted(draw(st.lists(st.integers(0, 100), max_size=4)))
    shares = [end - start for start, end in zip([0, *cuts], [*cuts, 100], strict=True)]
    return {str(number): share for number, share in enumerate(shares, 1)}


@given(splits())
def test_each_model_is_chosen_as_often_as_its_share(split: Split) -> None:
    drawn = [choose(split, (number + 0.5) / 100) for number in range(100)]
    assert {model: drawn.count(model) for model in split} == split


@given(splits())
def test_a_split_that_adds_up_is_taken_as_it_is(split: Split) -> None:
    assert checked(split, set(split)) == split


@given(splits(), st.integers(-100, 100).filter(bool))
def test_a_split_that_does_not_add_up_is_refused(split: Split, more: int) -> None:
    with pytest.raises(ApiError) as refused:
        checked({**split, "1": split["1"] + more}, set(split))
    assert refused.value.code == 400


@given(splits())
def test_a_model_goes_without_traffic_or_not_at_all(split: Split) -> None:
    others = len(split) - 1
    if not others:
        assert without(split, None, "1", others) == {}
    elif split["1"]:
        with pytest.raises(ApiError, match="of the traffic"):
            without(split, None, "1", others)
    else:
        assert "1" not in without(split, None, "1", others)


def test_the_new_model_is_named_zero_and_true_is_no_share() -> None:
    assert with_new({"7": 90, "0": 10}, "12") == {"7": 90, "12": 10}
    with pytest.raises(ApiError, match="True"):
        checked({"7": True}, ["7"])


ALIASES = st.sampled_from(["default", "champion", "candidate", "aa", "a-9"])


@given(st.lists(st.tuples(st.sampled_from("123"), ALIASES)), st.sampled_from("123"))
def test_an_alias_is_always_of_one_version(gifts: list[tuple[str, str]], last: str) -> None:
    aliases: dict[str, list[str]] = {"1": ["default"], "2": [], "3": []}
    for version, alias in [*gifts, (last, "champion")]:
        aliases = merged(aliases, version, [alias])
    every = [alias for names in aliases.values() for alias in names]
    assert len(every) == len(set(every))
    assert "default" in every
    assert "champion" in aliases[last]


def test_an_alias_is_taken_only_from_the_version_that_is_named() -> None:
    aliases = {"1": ["default", "aa"], "2": ["bb"]}
    assert merged(aliases, "2", ["-aa", "-bb", "cc"]) == {"1": ["default", "aa"], "2": ["cc"]}
    assert merged(aliases, "2", ["-bb", "bb"]) == aliases


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$(A)/$(B)", "one/two"),
        ("$(MISSING)", "$(MISSING)"),
        ("$$(A) costs 5$", "$(A) costs 5$"),
        ("$A ${A}", "$A ${A}"),
    ],
)
def test_variables_are_referred_to_as_in_kubernetes(text: str, value: str) -> None:
    assert expanded(text, {"A": "one", "B": "two"}) == value


def test_a_variable_may_name_those_before_it() -> None:
    variables = [("A", "$(PORT)1"), ("C", "$(A)$(B)"), ("B", "2")]
    assert environment({"PORT": "80"}, variables) == {
        "PORT": "80",
        "A": "801",
        "C": "801$(B)",
        "B": "2",
    }


RESOURCES = [
    {"name": "models/1", "displayName": "b", "createTime": "1", "labels": {"a b": "c"}},
    {"name": "models/2", "displayName": "a", "createTime": "2"},
    {"name": "models/3", "displayName": "a AND b", "createTime": "3"},
]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, "321"),
        ({"orderBy": "display_name, create_time desc"}, "231"),
        ({"filter": 'display_name="a AND b"'}, "3"),
        ({"filter": "displayName != a and model=1"}, "1"),
        ({"filter": 'labels."a b"=c'}, "1"),
        ({"filter": 'labels:"a b"'}, "1"),
        ({"pageSize": "2"}, "32"),
        ({"pageSize": "2", "pageToken": "2"}, "1"),
    ],
)
def test_a_list_is_filtered_ordered_and_paged(query: dict[str, str], names: str) -> None:
    found: list[dict[str, Any]] = listed("models", RESOURCES, query)["models"]
    assert "".join(model["name"][-1] for model in found) == names


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "display_name=a OR model=1"},
        {"filter": "create_time>2026"},
        {"filter": "etag=1"},
        {"filter": "labels=1"},
        {"orderBy": "etag"},
        {"readMask": "name"},
    ],
)
def test_a_list_of_another_kind_is_refused_by_name(query: dict[str, str]) -> None:
    with pytest.raises(ApiError) as refused:
        listed("models", RESOURCES, query)
    assert refused.value.code == 501
