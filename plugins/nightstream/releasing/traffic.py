"""Traffic splits of an endpoint: percent by the id of the deployed model, 100 in all.

A model that is not named has none.
"""

from __future__ import annotations

from collections.abc import Mapping

Split = Mapping[str, int]

NEW = "0"
"""Stands for the model that is just being deployed, in Vertex AI's own words."""


def with_share(split: Split, model: str, percent: int) -> dict[str, int]:
    """The split in which a model has so much, and the others the rest, in proportion."""
    others = {id_: share for id_, share in split.items() if id_ != model and share}
    if not others or percent == 100:
        return {model: 100}
    return {**_scaled(others, 100 - percent), model: percent}


def without(split: Split, model: str, heir: str | None) -> dict[str, int]:
    """The split in which a model has none: all of it goes to the heir, or without one to those that
    have traffic, in proportion. Empty where nothing is left."""
    if heir is not None and heir != model:
        return {heir: 100}
    return _scaled({id_: share for id_, share in split.items() if id_ != model and share}, 100)


def _scaled(split: Split, total: int) -> dict[str, int]:
    """The same proportions, in whole numbers that add up to the total (largest remainders)."""
    whole = sum(split.values())
    if not whole:
        return {}
    scaled = {id_: share * total // whole for id_, share in split.items()}
    left = total - sum(scaled.values())
    by_remainder = sorted(split, key=lambda id_: (-(split[id_] * total % whole), id_))
    for id_ in by_remainder[:left]:
        scaled[id_] += 1
    return {id_: share for id_, share in scaled.items() if share}
