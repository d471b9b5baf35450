"""From what jobs counted to figures and their verdicts."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.manifest import ReferenceStatistics
from beam_jobs.runs.manifest import Histogram
from beam_jobs.spec.drift import DriftSpec
from nightstream.drift.distances import psi
from nightstream.drift.figures import Drift, Figure, Verdict
from nightstream.drift.measuring import Measured, Profiled, measure
from tests.support.histograms import a_reference, names, numbers

REFERENCE = a_reference({"age": (400, 300, 300), "weight": (300, 400, 300)}, {"sex": {"f": 1000}})
NIGHTS = [date(2026, 1, day) for day in (1, 2, 3)]
LIMITS: dict[str, Any] = {
    "reference": {"psi": {"warn": 0.1, "stop": 0.25}, "js": {"warn": 0.2}},
    "trailing": {"psi": {"warn": 0.05}},
    "null_rate": {"warn": 0.01, "stop": 0.1},
    "unseen_rate": {"stop": 0.02},
    "min_rows": 100,
}


def measured(
    features: dict[str, Histogram],
    *,
    trailing: dict[date, dict[str, Histogram]] | None = None,
    reference: ReferenceStatistics = REFERENCE,
    **changes: Any,
) -> Measured:
    spec = DriftSpec.model_validate({**LIMITS, **changes})
    before = {night: Profiled(columns, {}) for night, columns in (trailing or {}).items()}
    return measure(spec, Profiled(features, {}), reference, before)


def figure(found: Measured, label: str, column: str = "age") -> Figure:
    [one] = [f for f in found.figures if (f.label, f.column) == (label, column)]
    return one


def verdict(found: Measured) -> Verdict:
    return Drift(service="s", model_version="v1", rows=1, figures=found.figures).verdict


def test_a_night_like_the_training_data_is_fine_in_every_figure() -> None:
    found = measured({"age": numbers((40, 30, 30)), "sex": names(f=100)})
    assert {f.verdict for f in found.figures} == {Verdict.FINE}
    assert {f.value for f in found.figures} == {0.0}
    assert found.notes == ()


def test_a_shifted_column_is_stopped_with_its_value_and_limit() -> None:
    found = measured({"age": numbers((10, 20, 70))})
    shifted = figure(found, "psi_reference")
    assert shifted.value == psi((0, 10, 20, 70, 0), (0, 400, 300, 300, 0))
    assert (shifted.verdict, shifted.stop) == (Verdict.STOP, 0.25)
    assert str(shifted) == (
        "feature age: psi against the training data is 0.7954, stop is above 0.25"
    )
    assert figure(found, "js_reference").verdict is Verdict.WARN
    assert verdict(found) is Verdict.STOP


def test_a_figure_that_equals_its_limit_is_fine() -> None:
    found = measured({"age": numbers((40, 30, 30), nulls=0, above=0), "sex": names(f=98, other=2)})
    assert figure(found, "unseen_rate", "sex").value == 0.02
    assert figure(found, "unseen_rate", "sex").verdict is Verdict.FINE


def test_nulls_and_unseen_values_are_shares_of_rows_and_of_values() -> None:
    found = measured({"age": numbers((40, 30, 20), below=4, above=6, nulls=100)})
    assert figure(found, "null_rate").value == 0.5
    assert figure(found, "null_rate").verdict is Verdict.STOP
    assert figure(found, "unseen_rate").value == 0.1


def test_a_tiny_night_is_measured_and_nothing_is_concluded() -> None:
    found = measured({"age": numbers((0, 0, 99), nulls=0)})
    shifted = figure(found, "psi_reference")
    assert shifted.value is not None
    assert shifted.value > 1
    assert shifted.verdict is Verdict.UNJUDGED
    assert shifted.why == "it rests on 99 values, drift.min_rows is 100"
    assert verdict(found) is Verdict.UNJUDGED


def test_a_column_of_nulls_is_judged_by_them_and_by_nothing_else() -> None:
    found = measured({"age": numbers((0, 0, 0), nulls=500)})
    assert figure(found, "null_rate").verdict is Verdict.STOP
    assert figure(found, "psi_reference").value is None
    assert figure(found, "psi_reference").verdict is Verdict.UNJUDGED


def test_the_nights_before_are_summed() -> None:
    trailing = {
        NIGHTS[0]: {"age": numbers((100, 0, 0))},
        NIGHTS[1]: {"age": numbers((0, 60, 40), below=3)},
    }
    found = measured({"age": numbers((50, 30, 20))}, trailing=trailing)
    before = figure(found, "psi_trailing")
    assert before.value == psi((0, 50, 30, 20, 0), (3, 100, 60, 40, 0))


def test_nights_that_were_counted_over_other_bins_are_never_mixed_in() -> None:
    trailing = {
        NIGHTS[0]: {"age": numbers((50, 30, 20))},
        NIGHTS[1]: {"age": numbers((0, 0, 900), edges=1)},
        NIGHTS[2]: {},
    }
    found = measured({"age": numbers((50, 30, 20))}, trailing=trailing)
    assert figure(found, "psi_trailing").value == 0
    assert found.notes == (
        "feature age is not compared with 2026-01-02, 2026-01-03: counted over other bins",
    )


def test_a_night_counted_over_other_bins_than_the_training_data_has_is_not_compared() -> None:
    found = measured({"age": numbers((0, 0, 900), edges=1)})
    assert {f.label for f in found.figures} == {"null_rate", "unseen_rate"}
    assert found.notes == ("feature age was counted over other bins than the training data has",)


def test_a_column_that_the_training_data_does_not_describe_is_named() -> None:
    found = measured({"city": Histogram(total=100)})
    assert found.figures == ()
    assert found.notes == ("feature city is not measured: the model's training data tells nothing",)


def test_a_columns_own_limits_take_the_place_of_the_services_for_that_figure() -> None:
    shifted = {"age": numbers((10, 20, 70), nulls=2)}
    own = {"age": {"reference": {"psi": {"warn": 0.5}}}}
    found = measured(shifted, columns=own)
    assert figure(found, "psi_reference").verdict is Verdict.WARN
    assert figure(found, "null_rate").verdict is Verdict.WARN
    none = measured(shifted, columns={"age": {"reference": {"psi": {}, "js": {}}}})
    assert figure(none, "psi_reference").verdict is Verdict.FINE


def test_without_limits_everything_is_fine_and_still_measured() -> None:
    spec = DriftSpec(min_rows=1)
    found = measure(spec, Profiled({"age": numbers((0, 0, 900))}, {}), REFERENCE, {})
    assert {f.verdict for f in found.figures} == {Verdict.FINE}
    assert figure(found, "psi_reference").value != 0


counts = st.integers(0, 10_000)
histograms = st.one_of(
    st.builds(
        numbers,
        st.tuples(counts, counts, counts),
        counts,
        counts,
        counts,
        st.integers(0, 1),
    ),
    st.builds(names, other=counts, nulls=counts, f=counts),
    st.just(Histogram(total=5)),
)
columns = st.dictionaries(st.sampled_from(["age", "sex", "city"]), histograms)


@given(columns, st.dictionaries(st.sampled_from(NIGHTS), columns))
def test_whatever_was_counted_there_is_an_answer_for_each_column(
    features: dict[str, Histogram], trailing: dict[date, dict[str, Histogram]]
) -> None:
    found = measured(features, trailing=trailing)
    said = {f.column for f in found.figures} | {note.split()[1] for note in found.notes}
    assert said == set(features)
    for one in found.figures:
        assert (one.verdict is Verdict.UNJUDGED) == bool(one.why)
        assert one.value is None or one.value >= 0
