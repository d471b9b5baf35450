"""What a message may hold, and what becomes of it."""

from __future__ import annotations

import json

import pytest

from beam_jobs.runs.dead_letter import Stage
from tests.support.messages import CSV, NOW, a_batch, a_reader, a_request, codes, outcomes

JSON_CASES = {
    "an object": (b'{"weeks": 40}', None),
    "an object over several lines": (json.dumps({"weeks": 40}, indent=2).encode(), None),
    "an object with line ends around it": (b'\r\n {"weeks": 40}\n', None),
    "an object with more keys": (b'{"weeks": 40, "more": {"deep": [null, {}]}}', None),
    "a number as a string": (b'{"weeks": "40.5"}', None),
    "nothing": (b"", "empty_message"),
    "blanks": (b" \r\n\t", "empty_message"),
    "no UTF-8": (b'{"weeks": 40, "id": "\xff"}', "not_utf8"),
    "a NUL byte": (b'{"weeks": 40, "id": "\0"}', "nul_byte"),
    "no JSON": (b"weeks: 40", "not_json"),
    "half an object": (b'{"weeks": 40', "not_json"),
    "an object and a comma": (b'{"weeks": 40},', "not_json"),
    "two objects": (b'{"weeks": 40}{"weeks": 41}', "not_json"),
    "two objects in two lines": (b'{"weeks": 40}\n{"weeks": 41}', "not_json"),
    "null between two objects": (b'{"weeks": 40}\nnull\n{"weeks": 41}', "not_json"),
    "a byte order mark": (b'\xef\xbb\xbf{"weeks": 40}', "not_json"),
    "a key twice": (b'{"weeks": 40, "weeks": 41}', "not_json"),
    "half a surrogate pair": (b'{"weeks": 40, "id": "\\ud800"}', "not_json"),
    "null": (b"null", "not_an_object"),
    "an array of objects": (b'[{"weeks": 40}]', "not_an_object"),
    "a string": (b'"weeks"', "not_an_object"),
    "an object without its fields": (b"{}", "missing_value"),
    "a field that is null": (b'{"weeks": null}', "missing_value"),
    "a field that is an object": (b'{"weeks": {"weeks": 40}}', "wrong_type"),
    "a field that is an array": (b'{"weeks": [40]}', "wrong_type"),
    "a field of the wrong type": (b'{"weeks": "forty"}', "wrong_type"),
    "true for a number": (b'{"weeks": true}', "wrong_type"),
    "a number for a string": (b'{"weeks": 40, "id": 7}', "wrong_type"),
    "no finite number": (b'{"weeks": NaN}', "not_finite"),
    "a number out of range": (b'{"weeks": 1e400}', "not_finite"),
    "a value out of range": (b'{"weeks": 400}', "out_of_range"),
}


@pytest.mark.parametrize("case", JSON_CASES)
def test_a_json_message_is_one_request(case: str) -> None:
    payload, code = JSON_CASES[case]
    (outcome,) = outcomes(a_reader().read(a_batch(payload), NOW))
    assert (outcome["message_id"], outcome["position"]) == ("m0", 0)
    if code is None:
        assert outcome["row"]["weeks"] in (40, 40.5)
    else:
        assert (outcome["dead"]["error_code"], outcome["dead"]["payload"]) == (code, payload)


def test_all_that_in_one_micro_batch_changes_nothing() -> None:
    read = a_reader().read(a_batch(*(payload for payload, _ in JSON_CASES.values())), NOW)
    assert codes(read) == [code for _, code in JSON_CASES.values()]


def test_a_message_of_9_megabytes_is_a_dead_letter_with_all_of_its_payload() -> None:
    payload = a_request(40, id="x" * 9_000_000)
    _, huge, _ = outcomes(a_reader().read(a_batch(a_request(1), payload, a_request(2)), NOW))
    assert huge["dead"]["error_code"] == "record_too_large"
    assert huge["dead"]["payload"] == payload
    assert huge["dead"]["error_message"] == (
        f"the request is {len(payload)} bytes long, more than {8 * 1024 * 1024}"
    )


CSV_CASES: dict[str, tuple[bytes, list[str | None]]] = {
    "a line": (b"a,1,,,,40", [None]),
    "a line with its end": (b"a,1,,,,40\n", [None]),
    "lines as Windows ends them": (b"a,1,,,,40\r\nb,1,,,,41\r\n", [None, None]),
    "lines as old Macs ended them": (b"a,1,,,,40\rb,1,,,,41\r", [None, None]),
    "blank lines around and between": (b"\n\na,1,,,,40\r\n\r\n\nb,1,,,,41\n\n", [None, None]),
    "nothing": (b"", ["empty_message"]),
    "blank lines alone": (b"\r\n\n", ["empty_message"]),
    "a line that is short": (b"a,1,,,,40\nb,1\nc,,,,,42", [None, "column_count", None]),
    "a line that is long": (b"a,1,,,,40,", ["column_count"]),
    "blanks alone": (b"  ", ["column_count"]),
    "an open quote": (b'"a,1,,,,40\nb,1,,,,41', ["unbalanced_quote", None]),
    "values in quotes": (b'"a,""b""",1,,,,"40"', [None]),
    "a NUL byte": (b"a\0,1,,,,40", ["nul_byte"]),
    "no UTF-8": (b"\xff,1,,,,40\nb,1,,,,41", ["not_utf8", None]),
    "a wrong type": (b"a,1,,,,forty", ["wrong_type"]),
    "a missing value": (b"a,1,,,,", ["missing_value"]),
}


@pytest.mark.parametrize("case", CSV_CASES)
def test_every_line_of_a_csv_message_is_a_request(case: str) -> None:
    payload, expected = CSV_CASES[case]
    found = outcomes(a_reader(payload=CSV).read(a_batch(payload), NOW))
    assert [one["dead"] and one["dead"]["error_code"] for one in found] == expected
    assert [one["position"] for one in found] == list(range(len(expected)))


def test_all_those_lines_in_one_micro_batch_change_nothing() -> None:
    read = a_reader(payload=CSV).read(a_batch(*(case[0] for case in CSV_CASES.values())), NOW)
    assert codes(read) == [code for _, expected in CSV_CASES.values() for code in expected]


def test_a_dead_line_has_its_own_bytes_and_an_empty_message_all_of_its() -> None:
    read = a_reader(payload=CSV).read(a_batch(b"a,1,,,,40\nb,1\n", b"\r\n"), NOW)
    _, line, empty = outcomes(read)
    assert (line["dead"]["payload"], line["position"]) == (b"b,1", 1)
    assert (empty["dead"]["payload"], empty["message_id"]) == (b"\r\n", "m1")


def test_a_message_of_a_thousand_lines_is_a_thousand_requests() -> None:
    lines = b"".join(b"k%d,,,,,%s\n" % (n, b"x" if n % 10 == 3 else b"40") for n in range(1_000))
    found = outcomes(a_reader(payload=CSV).read(a_batch(lines), NOW))
    assert [one["row"] and one["row"]["id"] for one in found] == [
        None if n % 10 == 3 else f"k{n}" for n in range(1_000)
    ]
    assert [one["position"] for one in found] == list(range(1_000))


def test_numbers_and_booleans_of_csv_are_read_by_the_formats_tokens() -> None:
    format_ = {**CSV, "true_tokens": ["ja"], "false_tokens": ["nein"], "null_tokens": ["-"]}
    read = a_reader(payload=format_).read(a_batch(b"-,-,-,-,ja,40", b"-,-,-,-,true,40"), NOW)
    first, second = outcomes(read)
    assert first["row"]["first"] is True
    assert (second["dead"]["error_field"], second["dead"]["stage"]) == ("first", Stage.VALIDATE)


def test_all_types_of_fields_are_read_from_json() -> None:
    payload = a_request(
        "40", id="k", number="7", born="2026-01-01T00:00:00+01:00", day="2026-01-01", first=True
    )
    (outcome,) = outcomes(a_reader().read(a_batch(payload), NOW))
    row = outcome["row"]
    assert (row["weeks"], row["id"], row["number"], row["first"]) == (40.0, "k", 7, True)
    assert row["born"].isoformat() == "2025-12-31T23:00:00+00:00"
    assert row["day"].isoformat() == "2026-01-01"
