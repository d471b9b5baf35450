"""Requests that are sent again keep the identity that they had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from beam_jobs.messages.reserved import MESSAGE_ID, POSITION, PUBLISHED_AT, REQUEST_ID
from tests.support.messages import CSV, NOW, PUBLISHED, a_batch, a_reader, a_request, outcomes

FIRST = {
    MESSAGE_ID: "first",
    POSITION: "17",
    PUBLISHED_AT: "2026-02-01T10:00:00.123456+00:00",
    REQUEST_ID: "mine-17",
}
FIRST_PUBLISHED = datetime(2026, 2, 1, 10, 0, 0, 123_456, tzinfo=UTC)
WHO = ("request_id", "message_id", "position", "published_at")


def test_reserved_attributes_say_who_a_request_was() -> None:
    reader = a_reader(request_id={"attribute": "rid", "field": "id"})
    batch = a_batch(a_request(id="field"), attributes={**FIRST, "rid": "attribute"})
    (outcome,) = outcomes(reader.read(batch, NOW))
    assert [outcome[key] for key in WHO] == ["mine-17", "first", 17, FIRST_PUBLISHED]
    assert outcome["dead"] is None


def test_a_line_that_came_with_others_keeps_its_place_when_it_is_sent_alone() -> None:
    reader = a_reader(payload=CSV, request_id={"attribute": "rid"})
    lines = reader.read(a_batch(b"a,,,,,1\nb,,,,,2\nc,,,,,3", attributes={"rid": "x"}), NOW)
    again = a_batch(
        b"b,,,,,2",
        attributes={
            "rid": "x",
            MESSAGE_ID: "m0",
            POSITION: "1",
            PUBLISHED_AT: PUBLISHED.isoformat(),
            REQUEST_ID: "x-1",
        },
    )
    assert outcomes(reader.read(again, NOW)) == outcomes(lines)[1:2]


def test_without_a_request_id_the_name_follows_from_the_first_message() -> None:
    attributes = {MESSAGE_ID: "first", POSITION: "3"}
    (outcome,) = outcomes(a_reader().read(a_batch(a_request(), attributes=attributes), NOW))
    assert [outcome[key] for key in WHO] == ["first-3", "first", 3, PUBLISHED]


@pytest.mark.parametrize(
    "mistaken",
    [
        {PUBLISHED_AT: "yesterday"},
        {PUBLISHED_AT: ""},
        {PUBLISHED_AT: "9999-12-31T23:59:59-01:00"},
        {PUBLISHED_AT: (NOW - timedelta(days=3 * 365 + 1)).isoformat()},
        {PUBLISHED_AT: (NOW + timedelta(days=1, seconds=1)).isoformat()},
    ],
)
def test_an_implausible_time_of_publishing_is_a_dead_letter_under_the_messages_own(
    mistaken: dict[str, str],
) -> None:
    batch = a_batch(a_request(), attributes={**FIRST, **mistaken})
    (outcome,) = outcomes(a_reader().read(batch, NOW))
    assert [outcome[key] for key in WHO] == ["mine-17", "first", 17, PUBLISHED]
    assert outcome["dead"]["error_code"] == "wrong_identity"
    assert outcome["dead"]["error_field"] == PUBLISHED_AT


@pytest.mark.parametrize(
    ("mistaken", "who"),
    [
        ({MESSAGE_ID: ""}, ["mine-17", "m0", 17]),
        ({POSITION: "-1"}, ["mine-17", "first", 0]),
        ({POSITION: "\u0663"}, ["mine-17", "first", 0]),
        ({POSITION: "1" * 10}, ["mine-17", "first", 0]),
        ({POSITION: "first"}, ["mine-17", "first", 0]),
    ],
)
def test_other_mistaken_attributes_are_dead_letters_too(
    mistaken: dict[str, str], who: list[object]
) -> None:
    batch = a_batch(a_request(), attributes={**FIRST, **mistaken})
    (outcome,) = outcomes(a_reader().read(batch, NOW))
    assert [outcome[key] for key in WHO[:3]] == who
    assert outcome["dead"]["error_field"] == next(iter(mistaken))


def test_a_mistake_in_a_messages_attributes_is_one_of_all_of_its_lines() -> None:
    reader = a_reader(payload=CSV)
    batch = a_batch(b"a,,,,,1\nb,,,,,bad", attributes={PUBLISHED_AT: "yesterday"})
    assert [one["dead"]["error_code"] for one in outcomes(reader.read(batch, NOW))] == [
        "wrong_identity",
        "wrong_type",
    ]


def test_the_edges_of_what_is_plausible_are() -> None:
    for moment in (NOW - timedelta(days=3 * 365), NOW + timedelta(days=1)):
        batch = a_batch(a_request(), attributes={PUBLISHED_AT: moment.isoformat()})
        (outcome,) = outcomes(a_reader().read(batch, NOW))
        assert (outcome["published_at"], outcome["dead"]) == (moment, None)
