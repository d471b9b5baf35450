"""Traffic splits always add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightstream.releasing.traffic import NEW, with_share, without


@st.composite
def splits(draw: st.DrawFn) -> dict[str, int]:
    """Up to four deployed models; some have no traffic."""
    bounds = sorted(draw(st.lists(st.integers(0, 100), max_size=3)))
    shares = [end - start for start, end in zip([0, *bounds], [*bounds, 100], strict=True)]
    return {str(number + 1): share for number, share in enumerate(shares)}


@given(splits(), st.integers(1, 100))
def test_a_share_is_given_exactly_and_the_others_keep_their_proportions(
    split: dict[str, int], percent: int
) -> None:
    shared = with_share(split, NEW, percent)
    assert sum(shared.values()) == 100
    assert shared[NEW] == percent
    for model, share in split.items():
        assert abs(shared.get(model, 0) - share * (100 - percent) / 100) < 1


def test_the_first_model_gets_everything() -> None:
    assert with_share({}, NEW, 10) == {NEW: 100}


@given(splits(), st.sampled_from([None, "1", "2"]))
def test_what_a_model_had_goes_to_its_heir_or_to_the_others(
    split: dict[str, int], heir: str | None
) -> None:
    rest = without(split, "1", heir)
    assert "1" not in rest
    if heir == "2":
        assert rest == {"2": 100}
    elif split["1"] < 100:
        assert sum(rest.values()) == 100
    else:
        assert rest == {}


def test_a_share_given_and_taken_back_leaves_the_champion_as_it_was() -> None:
    assert without(with_share({"1": 100}, "7", 10), "7", None) == {"1": 100}
