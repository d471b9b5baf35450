"""The tour's books close when, and only when, each request is where it belongs, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from beam_jobs.runs.dead_letter import ErrorCode
from examples.babyweight.requests import RequestFile, make_requests
from examples.tour.books import Fate, differences

SENT: RequestFile = make_requests(40, broken=1)
IDS = [f"tour-{number}" for number in range(100)]
BROKEN = next(iter(SENT.broken))
SOUND = next(number for number in range(40) if number not in SENT.broken)


@pytest.fixture
def fates() -> list[Fate]:
    """All requests where they belong; the payloads came two and a half times."""
    codes = (SENT.broken.get(number % 40) for number in range(100))
    return [
        Fate(name, "v1", None if code is None else str(code))
        for name, code in zip(IDS, codes, strict=True)
    ]


def found(fates: list[Fate]) -> list[str]:
    return differences(SENT, IDS, fates, careless="v3")


def test_books_in_which_all_is_where_it_belongs_close(fates: list[Fate]) -> None:
    assert found(fates) == []


def test_requests_that_the_careless_model_could_not_score_may_be_dead(fates: list[Fate]) -> None:
    fates[SOUND] = Fate(IDS[SOUND], "v3", str(ErrorCode.PREDICTION_FAILED))

    assert found(fates) == []


MISTAKES: dict[str, Callable[[list[Fate]], object]] = {
    "1 requests are nowhere: tour-99": lambda fates: fates.pop(),
    "1 rows too many: tour-5": lambda fates: fates.append(fates[5]),
    "rows too many: a stranger's": lambda fates: fates.append(Fate("a stranger's", "v1", None)),
    f"{IDS[SOUND]} is prediction_failed by v2, not scored": lambda fates: fates.__setitem__(
        SOUND, Fate(IDS[SOUND], "v2", str(ErrorCode.PREDICTION_FAILED))
    ),
    f"{IDS[BROKEN]} is scored by v1, not {SENT.broken[BROKEN]}": lambda fates: fates.__setitem__(
        BROKEN, replace(fates[BROKEN], error_code=None)
    ),
    f"{IDS[BROKEN]} is prediction_failed by v3, not": lambda fates: fates.__setitem__(
        BROKEN, Fate(IDS[BROKEN], "v3", str(ErrorCode.PREDICTION_FAILED))
    ),
}


@pytest.mark.parametrize("difference", MISTAKES)
def test_every_mistake_is_told(fates: list[Fate], difference: str) -> None:
    MISTAKES[difference](fates)

    assert any(difference in told for told in found(fates))
