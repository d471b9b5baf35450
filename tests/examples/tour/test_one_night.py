"""One night by two services agrees when, and only when, it is the same to the row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from examples.tour.one_night import TwoNights, disagreements

SAME = TwoNights(
    rows=(600, 600), dead=(14, 14), shared=600, furthest=1e-15, deployed_models=("17",)
)


def found(nights: TwoNights) -> list[str]:
    return disagreements(nights, scored=600, dead=14)


def test_nights_that_agree() -> None:
    assert found(SAME) == []


DIFFERENCES: dict[str, dict[str, Any]] = {
    "600 good rows were sent, (600, 599) are published": {"rows": (600, 599)},
    "14 broken rows were sent, (14, 15) are dead letters": {"dead": (14, 15)},
    "599 of 600 rows are the same in both": {"shared": 599},
    "predictions for one row differ by 0.01 lb": {"furthest": 0.01},
    "predictions for one row differ by None lb": {"furthest": None},
    "one deployed model was to answer, and not ['17', '18']": {"deployed_models": ("17", "18")},
    "one deployed model was to answer, and not []": {"deployed_models": ()},
}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_every_difference_is_told(difference: str) -> None:
    (told,) = found(replace(SAME, **DIFFERENCES[difference]))

    assert difference in told
