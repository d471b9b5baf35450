"""What requests are called, and when they happened."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.reading import ReadRequests
from tests.support.messages import (
    CSV,
    NOW,
    PUBLISHED,
    a_batch,
    a_reader,
    a_request,
    codes,
    column,
    outcomes,
)

LINES = b"a,1,,,,40\nb,2,,,,bad\nc,3\nd,4,,,,43"
"""Two valid lines, one that breaks the contract and one that is no row."""


def names(read: ReadRequests) -> list[str]:
    return column(read, "request_id")


def test_without_a_name_a_request_is_called_after_its_message_and_place() -> None:
    assert names(a_reader().read(a_batch(a_request(), b"no JSON", b""), NOW)) == [
        "m0-0",
        "m1-0",
        "m2-0",
    ]
    lines = a_reader(payload=CSV).read(a_batch(LINES, b"e,5,,,,44"), NOW)
    assert names(lines) == ["m0-0", "m0-1", "m0-2", "m0-3", "m1-0"]


def test_an_attribute_names_its_request_whatever_becomes_of_it() -> None:
    reader = a_reader(request_id={"attribute": "rid"})
    batch = a_batch(a_request(), a_request("bad"), b"no JSON", attributes={"rid": "mine"})
    assert names(reader.read(batch, NOW)) == ["mine", "mine", "mine"]


def test_an_attribute_of_several_lines_is_numbered_but_not_of_one() -> None:
    reader = a_reader(payload=CSV, request_id={"attribute": "rid"})
    batch = a_batch(LINES, b"e,5,,,,44\n", b"", attributes={"rid": "mine"})
    assert names(reader.read(batch, NOW)) == [
        "mine-0",
        "mine-1",
        "mine-2",
        "mine-3",
        "mine",
        "mine",
    ]


def test_a_field_names_its_request_also_where_another_field_breaks_the_contract() -> None:
    reader = a_reader(payload=CSV, request_id={"field": "id"})
    assert names(reader.read(a_batch(LINES), NOW)) == ["a", "b", "m0-2", "d"]


def test_the_attribute_goes_before_the_field_and_empty_ones_name_nothing() -> None:
    reader = a_reader(request_id={"attribute": "rid", "field": "id"})
    batch = MessageBatch(
        payloads=[a_request(id="field"), a_request(id="field"), a_request(id=""), a_request()],
        attributes=[{"rid": "attribute"}, {"rid": ""}, {}, {"other": "x"}],
        message_ids=["m0", "m1", "m2", "m3"],
        published_at=[0, 0, 0, 0],
    )
    assert names(reader.read(batch, NOW)) == ["attribute", "field", "m2-0", "m3-0"]


@pytest.mark.parametrize("written", ["7", '"7"', '"007"', "7.0", '"0x7"'])
def test_an_integer_names_a_request_by_its_value_however_it_is_written(written: str) -> None:
    reader = a_reader(request_id={"field": "number"})
    payload = f'{{"weeks": 40, "number": {written}}}'.encode()
    assert names(reader.read(a_batch(payload), NOW)) == ["7"]


def test_a_field_too_long_for_a_name_is_a_dead_letter_under_another_name() -> None:
    reader = a_reader(request_id={"field": "id"})
    fits, too_long = outcomes(
        reader.read(a_batch(a_request(id="ä" * 512), a_request(id="ä" * 512 + "b")), NOW)
    )
    assert (fits["request_id"], fits["dead"]) == ("ä" * 512, None)
    assert too_long["request_id"] == "m1-0"
    assert too_long["dead"]["error_code"] == "wrong_identity"
    assert too_long["dead"]["error_field"] == "request_id"


EVENT_TIMES = {
    "2026-02-28T23:00:00Z": datetime(2026, 2, 28, 23, tzinfo=UTC),
    "2026-02-28 23:00:00.5+01:00": datetime(2026, 2, 28, 22, 0, 0, 500_000, tzinfo=UTC),
    "2026-02-28T23:00:00": datetime(2026, 2, 28, 23, tzinfo=UTC),
    "2026-02-28": datetime(2026, 2, 28, tzinfo=UTC),
    "1772319600123": datetime(2026, 2, 28, 23, 0, 0, 123_000, tzinfo=UTC),
    "-1": datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    "0001-01-01T00:00:00Z": datetime(1, 1, 1, tzinfo=UTC),
    "9999-12-31T23:59:59.999999Z": datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    "": None,
}


@pytest.mark.parametrize("text", EVENT_TIMES)
def test_an_event_time_is_iso_8601_or_milliseconds_however_far_away(text: str) -> None:
    expected = EVENT_TIMES[text]
    by_attribute = a_reader(event_time={"attribute": "at"})
    by_field = a_reader(event_time={"field": "id"})
    reads = [
        by_attribute.read(a_batch(a_request(), attributes={"at": text}), NOW),
        by_field.read(a_batch(a_request(id=text)), NOW),
    ]
    for read in reads:
        assert (codes(read), column(read, "event_time")) == ([None], [expected])


NO_TIMES = [
    "tomorrow",
    "2026-13-01T00:00:00Z",
    "0000-12-31T23:59:59Z",
    "9999-12-31T23:59:59-01:00",
    "253402300800000",
    "1" * 30,
    "12.5",
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_a_dead_letter_without_one(text: str) -> None:
    by_attribute = a_reader(event_time={"attribute": "at"})
    by_field = a_reader(event_time={"field": "id"})
    reads = [
        by_attribute.read(a_batch(a_request(), attributes={"at": text}), NOW),
        by_field.read(a_batch(a_request(id=text)), NOW),
    ]
    for read in reads:
        (outcome,) = outcomes(read)
        assert (outcome["event_time"], outcome["published_at"]) == (None, PUBLISHED)
        assert outcome["dead"]["error_code"] == "wrong_identity"
        assert outcome["dead"]["error_field"] == "event_time"
    assert text in outcomes(reads[0])[0]["dead"]["error_message"]


def test_event_times_of_all_forms_stand_side_by_side_in_a_micro_batch() -> None:
    reader = a_reader(event_time={"attribute": "at"})
    texts = [*EVENT_TIMES, *NO_TIMES]
    batch = MessageBatch(
        payloads=[a_request()] * len(texts),
        attributes=[{"at": text} for text in texts],
        message_ids=["m"] * len(texts),
        published_at=[0] * len(texts),
    )
    read = reader.read(batch, NOW)
    assert column(read, "event_time") == [EVENT_TIMES.get(text) for text in texts]
    assert [code is None for code in codes(read)] == [text in EVENT_TIMES for text in texts]


def test_integer_and_timestamp_fields_date_a_request() -> None:
    moment = datetime(2026, 2, 28, 23, tzinfo=UTC)
    number = a_reader(event_time={"field": "number"})
    born = a_reader(event_time={"field": "born"})
    assert column(
        number.read(a_batch(a_request(number=1772319600000), a_request()), NOW), "event_time"
    ) == [moment, None]
    assert column(
        born.read(a_batch(a_request(born="2026-02-28T23:00:00Z")), NOW), "event_time"
    ) == [moment]


@pytest.mark.parametrize(("field", "value"), [("number", 10**18), ("born", "0000-01-01T00:00:00Z")])
def test_a_valid_field_that_is_no_time_bigquery_holds_is_a_dead_letter(
    field: str, value: object
) -> None:
    reader = a_reader(event_time={"field": field})
    assert codes(reader.read(a_batch(a_request(**{field: value})), NOW)) == ["wrong_identity"]


def test_a_field_of_the_wrong_type_is_reported_as_such() -> None:
    reader = a_reader(event_time={"field": "number"}, request_id={"field": "number"})
    (outcome,) = outcomes(reader.read(a_batch(a_request(number="soon")), NOW))
    assert (outcome["request_id"], outcome["event_time"]) == ("m0-0", None)
    assert outcome["dead"]["error_code"] == "wrong_type"
