"""Records of a byte stream do not depend on how the stream is cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beam_jobs.reading.framing import PAYLOAD_BYTES, RecordEnds, frame
from beam_jobs.reading.layout import ByteRange, SourceLayout
from beam_jobs.reading.line_ends import line_ends
from beam_jobs.reading.quotes import Quoting
from beam_jobs.runs.plan import InputObject

LIMIT = 12
streams = st.lists(
    st.sampled_from([b"a", b"bb", b",", b'"', b'"', b"\n", b"\r", b"\r\n", b"0123456789"]),
    max_size=40,
).map(b"".join)
cuts = st.lists(st.integers(1, 9), min_size=1, max_size=8)
small = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FRAMINGS = {"lines": line_ends, "quoted": Quoting(",", '"').record_ends}


def pieces(data: bytes, lengths: list[int]) -> Iterator[bytes]:
    position = turn = 0
    while position < len(data):
        length = lengths[turn % len(lengths)]
        yield data[position : position + length]
        position, turn = position + length, turn + 1


def framed(
    data: bytes, lengths: list[int], ends: RecordEnds, start: int = 0, stop: int | None = None
) -> list[tuple[int, bytes, str]]:
    """Position, content and error code of every record that begins in [start, stop)."""
    inside = start > 0
    first = start - 1 if inside else 0
    found = []
    for block in frame(pieces(data[first:], lengths), first, ends, LIMIT, stop=stop, inside=inside):
        found += [(block.position(i), block.bytes_of(i), "") for i in range(len(block.starts))]
        found += [(row.position or 0, row.payload, row.code.value) for row in block.dead]
    return sorted(found)


@pytest.mark.parametrize("framing", FRAMINGS)
@given(data=streams, lengths=cuts)
@small
def test_records_do_not_depend_on_the_pieces(framing: str, data: bytes, lengths: list[int]) -> None:
    whole = framed(data, [1 << 20], FRAMINGS[framing])
    # What is kept of a record that is too large is what was at hand.
    cut = [(p, c if code != "record_too_large" else None, code) for p, c, code in whole]
    again = framed(data, lengths, FRAMINGS[framing])
    assert [(p, c if code != "record_too_large" else None, code) for p, c, code in again] == cut


@given(data=streams, lengths=cuts, split=st.integers(1, 30))
@small
def test_ranges_share_the_records_out(data: bytes, lengths: list[int], split: int) -> None:
    whole = framed(data, [1 << 20], line_ends)
    parts = [
        record
        for start in range(0, len(data), split)
        for record in framed(data, lengths, line_ends, start, start + split)
    ]
    assert [(p, code) for p, _, code in parts] == [(p, code) for p, _, code in whole]


@given(size=st.integers(0, 1000), split=st.integers(1, 400), splittable=st.booleans())
@small
def test_ranges_tile_the_object(size: int, split: int, splittable: bool) -> None:
    layout = SourceLayout(
        InputObject(uri="a.csv", generation=1, size=size), ("a",), splittable=splittable
    )
    ranges = layout.ranges(split)
    assert ranges[0].start == 0
    assert ranges[-1].end == size
    assert all(a.end == b.start for a, b in pairwise(ranges))
    assert splittable or ranges == [ByteRange(0, size)]


def test_a_line_of_any_length_is_passed_over_in_bounded_memory() -> None:
    megabyte = b"x" * (1 << 20)

    def stream() -> Iterator[bytes]:
        yield b"before\n"
        yield from (megabyte for _ in range(300))
        yield b"\r"
        yield b"\nafter\n"

    blocks = list(frame(stream(), 0, line_ends, 1024))
    assert [b.bytes_of(0) for b in blocks if len(b.starts)] == [b"before", b"after"]
    [dead] = [row for block in blocks for row in block.dead]
    assert dead.code == "record_too_large"
    assert dead.position == 7
    assert len(dead.payload) <= PAYLOAD_BYTES
    assert f"{300 << 20} bytes" in dead.message
