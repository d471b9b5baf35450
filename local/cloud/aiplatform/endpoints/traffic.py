"""The traffic split of an endpoint: which share of its requests each deployed model answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from local.cloud.aiplatform.documents import precondition
from local.cloud.http import ApiError

Split = dict[str, int]
"""Percent by the id of the deployed model; empty where the endpoint takes no requests."""

NEW = "0"
"""Stands for the model that is just being deployed."""


def checked(split: Mapping[str, int], deployed: Collection[str]) -> Split:
    """A split over these deployed models. Raises ApiError 400."""
    for model, percent in split.items():
        if isinstance(percent, bool) or not isinstance(percent, int) or not 0 <= percent <= 100:
            raise ApiError(400, f"traffic_split of {model!r} is {percent!r}, not 0 to 100.")
    if unknown := sorted(set(split) - set(deployed)):
        raise ApiError(
            400,
            f"traffic_split names {', '.join(unknown)}: not deployed to this endpoint "
            f"({', '.join(sorted(deployed)) or 'nothing is'}).",
        )
    if split and sum(split.values()) != 100:
        raise ApiError(400, f"traffic_split must add up to 100, not {sum(split.values())}.")
    return dict(split)


def with_new(split: Mapping[str, int], new: str) -> Split:
    """The split with the id of the model that was just deployed."""
    return {new if model == NEW else model: percent for model, percent in split.items()}


def without(current: Split, asked: Mapping[str, int] | None, gone: str, left: int) -> Split:
    """The split once a model is undeployed, of which `left` others stay. Raises ApiError 400 where
    it would still have traffic."""
    if not left:
        return {}
    split = dict(asked) if asked else current
    if split.get(gone):
        raise precondition(
            f"DeployedModel {gone} has {split[gone]}% of the traffic: give that to the others, by "
            "traffic_split."
        )
    return {model: percent for model, percent in split.items() if model != gone}


def choose(split: Mapping[str, int], chance: float) -> str:
    """The deployed model that answers a request; `chance` is from 0 up to 1."""
    bound = 0.0
    for model, percent in sorted(split.items()):
        bound += percent / 100
        if chance < bound:
            return model
    raise ValueError(f"a traffic split that does not add up: {split}")
