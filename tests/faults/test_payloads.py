"""Everything that a message may hold, through the running job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.support.live_load import a_sound_request
from tests.support.live_service import LiveService

_SURROGATE = rb'{"weeks": 40, "id": "\ud800"}'
_PAYLOADS: dict[str, tuple[bytes, str | None]] = {
    "sound": (b'{"weeks": 40, "id": "k"}', None),
    "numbers-as-strings": (b'{"weeks": "40.5", "number": "12", "first": "true"}', None),
    "line-breaks": (b'\r\n{\n"weeks":\n40\r\n}\n', None),
    "unknown-fields": (b'{"weeks": 40, "more": {"deep": [1, {"deeper": null}]}}', None),
    "optional-null": (b'{"weeks": 40, "number": null, "day": null}', None),
    "empty": (b"", "empty_message"),
    "blank": (b" \r\n\t ", "empty_message"),
    "not-utf8": (b'{"weeks": 40, "id": "\xff\xfe"}', "not_utf8"),
    "nul-byte": (b'{"weeks": 40}\x00', "nul_byte"),
    "not-json": (b'{"weeks": 40', "not_json"),
    "csv": (b"k,12,2026-01-01,true,40", "not_json"),
    "two-objects": (b'{"weeks": 40}{"weeks": 41}', "not_json"),
    "half-a-character": (_SURROGATE, "not_json"),
    "array": (b'[{"weeks": 40}]', "not_an_object"),
    "number": (b"40", "not_an_object"),
    "text": (b'"weeks"', "not_an_object"),
    "null": (b"null", "not_an_object"),
    "too-deep": (b'{"weeks": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not_json"),
    "nested": (b'{"weeks": {"value": 40}}', "wrong_type"),
    "listed": (b'{"weeks": [40]}', "wrong_type"),
    "words": (b'{"weeks": "forty"}', "wrong_type"),
    "no-day": (b'{"weeks": 40, "day": "2026-02-30"}', "wrong_type"),
    "part-of-a-number": (b'{"weeks": 40, "number": 1.5}', "wrong_type"),
    "number-too-large": (b'{"weeks": 40, "number": 1' + b"0" * 400 + b"}", "wrong_type"),
    "missing": (b"{}", "missing_value"),
    "required-null": (b'{"weeks": null}', "missing_value"),
    "infinite": (b'{"weeks": 1e999}', "not_finite"),
    "out-of-range": (b'{"weeks": 100.5}', "out_of_range"),
}
"""By name a message's payload, and why its request is dead; None where it is scored."""


def test_each_payload_is_scored_or_dead_for_its_own_reason(live: LiveService) -> None:
    names = list(_PAYLOADS)
    live.publish([_PAYLOADS[name][0] for name in names], [{"request_id": n} for n in names])
    found = live.account_for(names)
    assert {name: found.dead.get(name) for name in names} == {
        name: code for name, (_, code) in _PAYLOADS.items()
    }
    letters = _by_name(live, live.plan.tables.dead_letters, "request_id, payload")
    assert {name: letters[name]["payload"] for name in found.dead} == {
        name: _PAYLOADS[name][0] for name in found.dead
    }


def test_a_huge_request_is_kept_whole_outside_of_its_table(live: LiveService) -> None:
    payload = json.dumps({"weeks": 40, "note": "x" * 9_000_000}).encode()
    live.publish(
        [payload, a_sound_request(1)], [{"request_id": "huge"}, {"request_id": "beside-huge"}]
    )
    assert live.account_for(["huge", "beside-huge"]).dead == {"huge": "record_too_large"}
    letter = _by_name(live, live.plan.tables.dead_letters, "request_id, payload, payload_uri")[
        "huge"
    ]
    assert letter["payload"] is None
    assert live.objects.read(letter["payload_uri"]) == payload


def test_a_large_request_is_scored_all_the_same(live: LiveService) -> None:
    payload = json.dumps({"weeks": 40, "id": "x" * 2_000_000}).encode()
    live.publish([payload] * 12, [{"request_id": f"large-{n}"} for n in range(12)])
    assert not live.account_for([f"large-{n}" for n in range(12)]).dead


def test_requests_of_one_name_count_once_and_scored_if_any_was(live: LiveService) -> None:
    sound, broken = a_sound_request(1), b"{}"
    live.publish([sound, broken, sound, broken, sound], [{"request_id": "same"}] * 5)
    live.publish([broken, broken, broken], [{"request_id": "same-but-dead"}] * 3)
    found = live.account_for(["same", "same-but-dead"])
    assert found.scored == {"same": 1}
    assert found.dead == {"same-but-dead": "missing_value"}


def test_requests_that_claim_to_be_the_same_line_are_still_told_apart(live: LiveService) -> None:
    names = [f"claimed-{n}" for n in range(20)]
    claim = {"nightstream-message-id": "claimed", "nightstream-position": "7"}
    payloads = [b"{}" if n % 2 else a_sound_request(n) for n in range(20)]
    live.publish(payloads, [{"request_id": name, **claim} for name in names])
    assert live.account_for(names).dead == dict.fromkeys(names[1::2], "missing_value")


def test_events_of_all_times_are_kept_as_they_say(live: LiveService) -> None:
    times = {
        "first-year": ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        "long-ago": ("-2208988800000", datetime(1900, 1, 1, tzinfo=UTC)),
        "other-zone": ("1969-07-20T22:56:15-04:00", datetime(1969, 7, 21, 2, 56, 15, tzinfo=UTC)),
        "far-future": ("2999-12-31T23:59:59.999999Z", _AT_MIDNIGHT_3000),
        "last-year": ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    }
    timeless = {"year-zero": "0000-01-01T00:00:00Z", "later": "99999999999999999", "word": "noon"}
    said = {name: text for name, (text, _) in times.items()} | timeless
    live.publish(
        [a_sound_request(1)] * len(said),
        [{"request_id": name, "event_time": text} for name, text in said.items()],
    )
    assert live.account_for(said).dead == dict.fromkeys(timeless, "wrong_identity")
    rows = _by_name(live, live.plan.tables.predictions, "request_id, event_time")
    assert {name: rows[name]["event_time"] for name in times} == {
        name: moment for name, (_, moment) in times.items()
    }


_AT_MIDNIGHT_3000 = datetime(2999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def _by_name(live: LiveService, table: str, columns: str) -> Mapping[str, dict[str, Any]]:
    return {row["request_id"]: row for row in live.rows(table, columns)}
