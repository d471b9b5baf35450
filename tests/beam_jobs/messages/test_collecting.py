"""Micro-batches within the bounds of the spec."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.messages.batch import Collector, MessageBatch
from beam_jobs.spec.streaming import StreamingSpec
from tests.support.messages import CSV, a_message


def collected(payloads: list[bytes], **streaming: Any) -> list[MessageBatch]:
    spec = StreamingSpec.model_validate(
        {"topic": "requests", "subscription": "requests", **streaming}
    )
    collector = Collector(spec)
    batches = [collector.add(a_message(payload)) for payload in payloads]
    batches.append(collector.rest())
    assert collector.rest() is None
    return [batch for batch in batches if batch is not None]


def test_a_message_is_unpacked() -> None:
    collector = Collector(StreamingSpec(topic="requests", subscription="requests"))
    published = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    collector.add(a_message(b"payload", "m7", published, rid="r7"))
    assert collector.rest() == MessageBatch(
        [b"payload"], [{"rid": "r7"}], ["m7"], [1_772_366_400_123_456]
    )


def test_a_batch_ends_at_its_rows() -> None:
    batches = collected([b"{}"] * 7, batch={"rows": 3})
    assert [len(batch) for batch in batches] == [3, 3, 1]


def test_every_line_of_a_csv_message_counts() -> None:
    batches = collected([b"1\n2", b"3", b"4\n5\n6\n7\n8", b"9"], payload=CSV, batch={"rows": 3})
    assert [batch.payloads for batch in batches] == [
        [b"1\n2", b"3"],
        [b"4\n5\n6\n7\n8"],
        [b"9"],
    ]


def test_a_batch_ends_at_its_bytes_and_a_larger_message_is_one_of_its_own() -> None:
    batches = collected(
        [b"a" * 500, b"b" * 500, b"c" * 500, b"d" * 5_000, b"e"], batch={"bytes": 1_024}
    )
    assert [batch.nbytes for batch in batches] == [1_000, 500, 5_000, 1]


@given(st.lists(st.binary(max_size=2_000), max_size=30), st.integers(1, 5))
def test_no_message_is_lost_moved_or_doubled(payloads: list[bytes], rows: int) -> None:
    batches = collected(payloads, batch={"rows": rows, "bytes": 1_024})
    assert [payload for batch in batches for payload in batch.payloads] == payloads
    assert all(len(batch) <= rows for batch in batches)
    assert all(batch.nbytes <= 1_024 or len(batch) == 1 for batch in batches)
