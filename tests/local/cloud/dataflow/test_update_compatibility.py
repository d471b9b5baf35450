"""Which pipeline may take over the state of which other: on the protos of real Beam pipelines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import apache_beam as beam
import pytest
from apache_beam.coders import BytesCoder, Coder, StrUtf8Coder, VarIntCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.transforms import window
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, TimerSpec, on_timer
from hypothesis import given, settings
from hypothesis import strategies as some

from local.cloud.dataflow.worker.streaming.compatibility import check, explain

BYTES = BytesCoder()
SOURCE = "projects/project-one/subscriptions/source"
Proto = beam_runner_api_pb2.Pipeline
Build = Callable[[Any], Any]


def hold(coder: Coder) -> beam.DoFn:
    """A DoFn with a bag of that coder."""
    state = beam.DoFn.StateParam(BagStateSpec("bag", coder))

    class Hold(beam.DoFn):
        def process(self, element: Any, bag: Any = state) -> Iterable[Any]:
            bag.add(element[1])
            yield element[1]

    return Hold()


class HoldAndCount(beam.DoFn):
    BAG = BagStateSpec("bag", BytesCoder())
    COUNT = BagStateSpec("count", VarIntCoder())

    def process(
        self,
        element: Any,
        bag: Any = beam.DoFn.StateParam(BAG),  # noqa: B008
        count: Any = beam.DoFn.StateParam(COUNT),  # noqa: B008
    ) -> Iterable[Any]:
        bag.add(element[1])
        count.add(1)
        yield element[1]


class Wait(beam.DoFn):
    """Keeps nothing but a timer."""

    TIMER = TimerSpec("timer", TimeDomain.REAL_TIME)

    def process(
        self,
        element: Any,
        timer: Any = beam.DoFn.TimerParam(TIMER),  # noqa: B008
    ) -> Iterable[Any]:
        timer.set(0)
        yield element

    @on_timer(TIMER)
    def end(self) -> Iterable[Any]:
        return []


def proto(build: Build, read: str = "Read") -> Proto:
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming", "--allow_unsafe_triggers"]))
    messages = pipeline | read >> beam.io.ReadFromPubSub(subscription=SOURCE)
    build(messages)
    return pipeline.to_runner_api()


def keyed(messages: Any) -> Any:
    return messages | "Key" >> beam.WithKeys("all")


def holding(name: str = "Hold", coder: Coder = BYTES) -> Build:
    return lambda m: keyed(m) | name >> beam.ParDo(hold(coder))


def counting(size: float = 60, name: str = "Count") -> Build:
    return lambda m: (
        m | beam.WindowInto(window.FixedWindows(size)) | name >> beam.combiners.Count.PerElement()
    )


def grouping(type_: Any, name: str = "Group") -> Build:
    return lambda m: (
        m
        | "Pair" >> beam.Map(lambda x: (x, 1)).with_output_types(tuple[type_, int])
        | name >> beam.GroupByKey()
    )


def with_side_inputs(*values: Any) -> Build:
    def build(messages: Any) -> Any:
        sides = [
            beam.pvalue.AsSingleton(messages.pipeline | f"Side{i}" >> beam.Create([value]))
            for i, value in enumerate(values)
        ]
        return messages | "Add" >> beam.Map(lambda *both: both, *sides)

    return build


class Row(NamedTuple):
    name: str
    size: int


class WideRow(NamedTuple):
    name: str
    size: int
    colour: str | None


class NarrowRow(NamedTuple):
    name: str


def shuffling_rows(row: Any) -> Build:
    beam.coders.registry.register_coder(row, beam.coders.RowCoder)
    return lambda m: (
        m
        | "Row" >> beam.Map(lambda x: row(x)).with_output_types(row)
        | "Spread" >> beam.Reshuffle()
    )


def problems(old: Build, new: Build, **mapping: str) -> list[str]:
    return [str(problem) for problem in check(proto(old), proto(new), mapping)]


@pytest.mark.parametrize(
    "same",
    [
        holding(),
        counting(),
        grouping(str),
        grouping(Any),
        with_side_inputs(1),
        shuffling_rows(Row),
        lambda m: keyed(m) | beam.ParDo(Wait()),
        lambda m: keyed(m) | beam.GroupIntoBatches(10),
    ],
)
def test_a_pipeline_built_anew_is_compatible_with_itself(same: Build) -> None:
    assert problems(same, same) == []


def test_new_code_new_stateless_steps_and_new_stateful_steps_are_compatible() -> None:
    def more(messages: Any) -> Any:
        kept = messages | "Filter" >> beam.Filter(len) | "Double" >> beam.Map(lambda x: x * 2)
        counting()(kept)
        return holding()(kept)

    assert problems(holding(), more) == []
    assert problems(lambda m: m | "Old" >> beam.Map(len), lambda m: m | beam.Map(str)) == []


def test_the_size_of_windows_may_change_and_their_coder_may_not() -> None:
    assert problems(counting(60), counting(10)) == []
    [told] = problems(counting(60), lambda m: m | "Count" >> beam.combiners.Count.PerElement())
    assert "windows: interval_window became global_window" in told


@pytest.mark.parametrize(
    ("old", "new", "step", "told"),
    [
        (holding(), holding(coder=StrUtf8Coder()), "Hold", "state bag: bag_spec(bytes) became"),
        (grouping(str), grouping(int), "Group", "string_utf8"),
        (grouping(Any), grouping(str), "Group", "DeterministicFastPrimitivesCoderV2"),
        (shuffling_rows(Row), shuffling_rows(NarrowRow), "Spread", "row became row"),
        (holding(), lambda m: keyed(m) | "Hold" >> beam.GroupByKey(), "Hold", "stateful ParDo"),
    ],
)
def test_a_changed_coder_or_type_is_incompatible(
    old: Build, new: Build, step: str, told: str
) -> None:
    [problem] = check(proto(old), proto(new), {})
    assert problem.step == step
    assert problem.what == f"The Coder or type for step {step} has changed."
    assert told in problem.remedy


def test_a_schema_may_be_widened() -> None:
    assert problems(shuffling_rows(Row), shuffling_rows(WideRow)) == []
    assert len(problems(shuffling_rows(WideRow), shuffling_rows(Row))) == 1


def test_state_that_is_added_or_removed_is_incompatible() -> None:
    one, two = holding(), lambda m: keyed(m) | "Hold" >> beam.ParDo(HoldAndCount())
    assert problems(one, two)[0].startswith("The state count has been added to step Hold.")
    assert problems(two, one)[0].startswith("The state count has been removed from step Hold.")
    [told] = problems(lambda m: keyed(m) | "Hold" >> beam.Map(len), one)
    assert "It was a stateless ParDo and is a stateful ParDo" in told


@pytest.mark.parametrize("old", [holding("Old"), counting(name="Old"), grouping(str, "Old")])
def test_a_stateful_step_that_is_gone_is_missing(old: Build) -> None:
    [problem] = check(proto(old), proto(lambda m: m | beam.Map(len)), {})
    assert problem.step.startswith("Old")
    assert f"The new job is missing steps {problem.step}. If these steps" in problem.what


def test_a_renamed_read_is_missing() -> None:
    renamed = proto(holding(), read="Receive")
    assert [p.step for p in check(proto(holding()), renamed, {})] == ["Read/Read"]
    assert check(proto(holding()), renamed, {"Read": "Receive"}) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (holding("Old"), holding("New")),
        (counting(name="Old"), counting(name="New")),
        (grouping(Any, "Old"), grouping(Any, "New")),
    ],
)
def test_a_renamed_step_is_found_by_the_mapping_of_a_prefix(old: Build, new: Build) -> None:
    assert len(problems(old, new)) == 1
    assert problems(old, new, Old="New") == []


def test_side_inputs_may_be_neither_added_nor_removed_nor_changed() -> None:
    assert (
        "side input python_side_input1 has been added"
        in problems(with_side_inputs(1), with_side_inputs(1, 2))[0]
    )
    assert (
        "side input python_side_input0 has been removed"
        in problems(with_side_inputs(1), with_side_inputs())[0]
    )
    assert (
        "view(varint) became view(string_utf8)"
        in problems(with_side_inputs(1), with_side_inputs("one"))[0]
    )


def test_a_mapping_names_steps_that_there_are_and_each_once() -> None:
    def two(messages: Any) -> Any:
        return holding("A")(messages), messages | "More" >> beam.WithKeys(
            "all"
        ) | "B" >> beam.ParDo(hold(BYTES))

    assert "'Gone', which the old job does not have" in problems(two, two, Gone="A")[0]
    assert "'Gone', which the new job does not have" in problems(two, two, A="Gone")[0]
    assert "The new job is missing steps A." in problems(two, two, A="")[0]
    assert problems(two, two, Key="", More="") == []
    assert "gives the name A to several steps" in problems(two, two, A="A", B="A")[0]
    assert "Several stateful steps of the old job" in problems(two, two, A="B")[0]
    assert problems(two, two, A="B", B="A") == []


@settings(max_examples=15, deadline=None)
@given(some.permutations(["A", "B", "C"]), some.permutations(["A", "B", "C", "D"]))
def test_the_mapping_that_undoes_a_renaming_makes_it_compatible(
    before: list[str], after: list[str]
) -> None:
    coders = (BytesCoder(), StrUtf8Coder(), VarIntCoder())

    def build(names: list[str]) -> Build:
        def built(messages: Any) -> None:
            for name, coder in zip(names, coders, strict=False):
                messages | f"Key{name}" >> beam.WithKeys(1) | name >> beam.ParDo(hold(coder))

        return built

    old, new = proto(build(before)), proto(build(after))
    right = dict(zip(before, after, strict=False))
    assert check(old, new, right) == []
    moved = {a for a, b in right.items() if a != b}
    assert {problem.step for problem in check(old, new, {})} == moved


def test_a_refusal_names_the_old_job_and_every_step() -> None:
    old, new = proto(holding("Old")), proto(lambda m: m | beam.Map(len))
    told = explain("2026-01-01_a", check(old, new, {}))
    assert told.startswith(
        "The new job is not compatible with 2026-01-01_a. The original job has not been aborted., "
        "The new job is missing steps Old. If these steps have been renamed or deleted, please "
        "specify them with the update command."
    )
