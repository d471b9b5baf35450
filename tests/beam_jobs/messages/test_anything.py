"""Whatever messages hold, reading them never fails and every request is valid or dead."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.reading import MessageReader, ReadRequests, read_all
from beam_jobs.messages.reserved import RESERVED
from tests.support.messages import CSV, NOW, a_batch, a_reader, a_request, outcomes

NAMES = st.sampled_from(["id", "number", "born", "day", "first", "weeks", "more"])
ODD_VALUES = st.sampled_from(
    [
        *("1", "-7", "3.0", "1e400", "01", "+1", ".5", "NaN", "-Infinity", "12345678901234567890"),
        *("null", "true", "nul", "{}", "[]", '{"weeks": [1, {"id": null}]}', '"{"', '"}"'),
        *('""', '"7"', '"0x1F"', '"\\ud800"', '"\\u0000"', '"\n"', '"é"', '"2026-01-01"'),
        *('"0000-01-01T00:00:00Z"', '"9999-12-31T23:59:59-23:00"', "9999999999999999"),
    ]
)
OBJECTS = st.lists(st.tuples(NAMES, ODD_VALUES), max_size=4).map(
    lambda pairs: "{" + ", ".join(f'"{name}": {value}' for name, value in pairs) + "}"
)
SEPARATORS = st.sampled_from(["", "\n", "\r\n", "\r", ",", " ", "\nnull\n"])
ODD_TEXTS = st.sampled_from(
    [
        *("", " ", "\n", "null", "[]", "1", '"x"', "{", "}", "[{}]", '{"a":"}', '{"}', "\ufeff{}"),
        json.dumps({"weeks": 40, "more": {"deep": [1, None, {"id": 2}]}}, indent=2),
        '{"weeks": 1}{"weeks": 2}',
        "[" * 2_000,
        '{"a":' * 2_000,
    ]
)
JSON_TEXTS = st.one_of(
    OBJECTS, OBJECTS, ODD_TEXTS, st.tuples(OBJECTS, SEPARATORS, OBJECTS).map("".join)
)
CELLS = st.sampled_from(
    ["", "1", "x", '"a,b"', '"', '"a""b"', " ", "true", "2026-01-01", "1e5", "é", "\0"]
)
LINES = st.lists(CELLS, max_size=8).map(",".join)
CSV_TEXTS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r", ""])), max_size=6).map(
    lambda lines: "".join(line + end for line, end in lines)
)


def payloads(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """Texts, texts with some byte changed, and bytes of any kind."""
    encoded = texts.map(lambda text: text.encode("utf-8", "surrogatepass"))
    broken = st.tuples(encoded, st.integers(0, 60), st.binary(min_size=1, max_size=1)).map(
        lambda part: part[0][: part[1]] + part[2] + part[0][part[1] + 1 :]
    )
    return st.one_of(encoded, encoded, broken, st.binary(max_size=40))


FOUND = {"request_id": {"attribute": "rid", "field": "id"}, "event_time": {"attribute": "at"}}
JSON_READERS = [
    a_reader(**FOUND),
    a_reader(request_id={"field": "number"}, event_time={"field": "born"}),
    a_reader(request_id={"field": "id"}, event_time={"field": "id"}),
]
CSV_READERS = [
    a_reader(payload=CSV, **FOUND),
    a_reader(payload=CSV, event_time={"field": "number"}),
]
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["rid", "at", *sorted(RESERVED)]),
    st.text(max_size=8)
    | st.sampled_from(["2026-02-28T00:00:00Z", "1772319600123", "2026-02-28", "0", "3"]),
    max_size=3,
)


def messages(texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[bytes, Any]]]:
    return st.lists(st.tuples(payloads(texts), ATTRIBUTES), min_size=50, max_size=50)


def batch_of(sent: list[tuple[bytes, Any]]) -> MessageBatch:
    batch = a_batch(*(payload for payload, _ in sent))
    batch.attributes[:] = [attributes for _, attributes in sent]
    return batch


@settings(max_examples=50, deadline=None)
@given(messages(JSON_TEXTS), st.sampled_from(JSON_READERS))
def test_any_json_messages_are_one_request_each(
    sent: list[tuple[bytes, Any]], reader: MessageReader
) -> None:
    found = outcomes(reader.read(batch_of(sent), NOW))
    assert len(found) == len(sent)


@settings(max_examples=25, deadline=None)
@given(messages(CSV_TEXTS), st.sampled_from(CSV_READERS))
def test_any_csv_messages_are_one_request_for_each_line(
    sent: list[tuple[bytes, Any]], reader: MessageReader
) -> None:
    found = outcomes(reader.read(batch_of(sent), NOW))
    assert len(found) == sum(max(1, _lines(payload)) for payload, _ in sent)


def _lines(payload: bytes) -> int:
    """Lines that are not blank, by another way."""
    return sum(bool(line) for line in payload.replace(b"\r", b"\n").split(b"\n"))


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_what_becomes_of_a_message_does_not_depend_on_its_neighbours(data: st.DataObject) -> None:
    texts, readers = data.draw(
        st.sampled_from([(JSON_TEXTS, JSON_READERS), (CSV_TEXTS, CSV_READERS)])
    )
    reader = data.draw(st.sampled_from(readers))
    batch = batch_of(data.draw(messages(texts))[:10])
    alone = [
        outcome
        for index in range(len(batch))
        for outcome in outcomes(reader.read(batch.part(index, index + 1), NOW))
    ]
    # Not-a-number is equal to itself as text.
    assert repr(outcomes(reader.read(batch, NOW))) == repr(alone)


class _Fragile(MessageReader):
    """Fails on what nobody foresaw."""

    def read(self, messages: MessageBatch, now: Any) -> ReadRequests:
        if b"unforeseen" in messages.payloads:
            raise RuntimeError("nobody foresaw this")
        return super().read(messages, now)


def test_a_message_on_which_the_reader_fails_is_a_dead_letter_and_the_others_are_read() -> None:
    reader = a_reader()
    reader.__class__ = _Fragile
    sent = [a_request(n) for n in range(20)]
    sent[7] = sent[13] = b"unforeseen"
    reads = list(read_all(reader, a_batch(*sent), NOW))
    found = [outcome for read in reads for outcome in outcomes(read)]
    assert [one["request_id"] for one in found] == [f"m{n}-0" for n in range(20)]
    dead = [one["dead"] for one in found if one["dead"]]
    assert [(one["error_code"], one["error_message"], one["payload"]) for one in dead] == [
        ("unreadable", "RuntimeError: nobody foresaw this", b"unforeseen")
    ] * 2
    assert len(reads) <= 12


def test_a_reader_out_of_memory_says_nothing_of_its_messages() -> None:
    class OutOfMemory(MessageReader):
        def read(self, *_: Any) -> ReadRequests:
            raise MemoryError

    reader = a_reader()
    reader.__class__ = OutOfMemory
    with pytest.raises(MemoryError):
        list(read_all(reader, a_batch(a_request()), NOW))
