"""Messages of a bundle become micro-batches, whatever size bundles have."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.prediction.live.bundles import bundles_under_way
from beam_jobs.spec.streaming import StreamingSpec
from beam_jobs.transforms.collect import Collect, ReadMessages
from tests.support.messages import a_message

SPEC = StreamingSpec.model_validate(
    {"topic": "requests", "subscription": "requests", "batch": {"rows": 4}}
)


def sizes(bundles: list[int]) -> list[int]:
    """Of the micro-batches that come of bundles of those sizes."""
    collect = Collect(SPEC)
    found = []
    for size in bundles:
        collect.start_bundle()
        for number in range(size):
            found += collect.process(a_message(b"{}", f"m{number}")) or []
        found += [output.value for output in collect.finish_bundle()]
    return [len(batch) for batch in found]


def test_bundles_of_a_single_message_are_batches_of_one() -> None:
    assert sizes([1, 1, 1]) == [1, 1, 1]


def test_bundles_are_cut_at_the_bounds_and_none_is_kept_for_the_next() -> None:
    assert sizes([10, 0, 3]) == [4, 4, 2, 3]


def test_a_bundle_is_under_way_until_its_last_batch_has_gone_on() -> None:
    collect = Collect(SPEC)
    before = bundles_under_way.count()
    collect.start_bundle()
    collect.process(a_message(b"{}"))
    rest = collect.finish_bundle()
    assert (len(next(rest).value), bundles_under_way.count()) == (1, before + 1)
    assert (list(rest), bundles_under_way.count()) == ([], before)


def test_a_bundle_of_nothing_is_not_under_way_for_long() -> None:
    collect = Collect(SPEC)
    before = bundles_under_way.count()
    collect.start_bundle()
    assert list(collect.finish_bundle()) == []
    assert bundles_under_way.count() == before


def test_a_runner_hands_messages_on_as_micro_batches() -> None:
    with beam.Pipeline("FnApiRunner") as pipeline:
        ids = (
            pipeline
            | beam.Create([a_message(b"{}", f"m{number}") for number in range(9)])
            | beam.ParDo(Collect(SPEC)).with_output_types(MessageBatch)
            | beam.FlatMap(lambda batch: batch.message_ids)
        )
        assert_that(ids, equal_to([f"m{number}" for number in range(9)]))


def test_messages_are_read_with_their_attributes_and_not_unpacked() -> None:
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    messages = pipeline | ReadMessages("projects/some-project/subscriptions/requests")
    assert messages.element_type is bytes
    proto = pipeline.to_runner_api()
    (read,) = [
        transform.spec.payload
        for transform in proto.components.transforms.values()
        if transform.spec.urn == "beam:transform:pubsub_read:v1"
    ]
    assert b"projects/some-project/subscriptions/requests" in read


@pytest.mark.parametrize("name", ["requests", "projects/p/topics/t"])
def test_only_a_subscription_by_its_full_name_is_read(name: str) -> None:
    with pytest.raises(ValueError, match="subscription must be in the form"):
        ReadMessages(name)
