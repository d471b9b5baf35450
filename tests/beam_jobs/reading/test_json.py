"""Newline-delimited JSON: rows, dead letters, and the same outcome on the fast and slow path."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from beam_jobs.reading import InputFileError
from tests.support.input_files import InputFolder, Outcome, input_spec

FIELDS = [
    {"name": "s", "type": "string", "nullable": True},
    {"name": "f", "type": "float", "nullable": True},
    {"name": "i", "type": "integer", "nullable": True},
    {"name": "b", "type": "boolean", "nullable": True},
    {"name": "t", "type": "timestamp", "nullable": True},
]
SPEC = input_spec(FIELDS, type="json")
GOOD = b'{"s": "x", "f": 1.5, "i": 2, "b": true, "t": "2026-01-02T03:04:05Z"}\n'
small = settings(
    max_examples=100,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read(folder: InputFolder, data: bytes, split: int = 1 << 40) -> Outcome:
    return folder.outcome(data, SPEC, split, "night.json")


def test_rows_are_typed_and_missing_keys_null(folder: InputFolder) -> None:
    result = read(folder, GOOD + b'{"i": 3, "other": {"deep": [1]}}\r\n\n{}\n')
    [first, *others] = result.values
    assert first[:4] == ("x", 1.5, 2, True)
    assert first[4].isoformat() == "2026-01-02T03:04:05+00:00"
    assert others == [(None, None, 3, None, None), (None,) * 5]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "not_json"),
        (b'{"s": "x"} x', "not_json"),
        (b'{"i": 1}{"i": 2}', "not_json"),
        (b'{"i": 1}null{"i": 2}', "not_json"),
        (b"   ", "not_json"),
        (b'{"f": Inf}', "not_json"),
        (b'{"i": 1, "i": 2}', "not_json"),
        (b'{"s": "\\ud800"}', "not_json"),
        (b'{"z": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not_json"),
        (b"null", "not_an_object"),
        (b"[1]", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b"3", "not_an_object"),
        (b'{"s": 5}', "wrong_type"),
        (b'{"s": {"a": 1}}', "wrong_type"),
        (b'{"f": "abc"}', "wrong_type"),
        (b'{"f": [1]}', "wrong_type"),
        (b'{"i": 1.5}', "wrong_type"),
        (b'{"i": true}', "wrong_type"),
        (b'{"i": 9223372036854775808}', "wrong_type"),
        (b'{"b": 1}', "wrong_type"),
        (b'{"t": 1767225600}', "wrong_type"),
        (b'{"t": "yesterday"}', "wrong_type"),
        (b'{"f": NaN}', "not_finite"),
        (b'{"f": 1e400}', "not_finite"),
        (b'{"s": "\xff"}', "not_utf8"),
        (b'{"s": "a\0"}', "nul_byte"),
    ],
)
def test_a_bad_line_is_a_dead_letter_among_good_rows(
    folder: InputFolder, line: bytes, code: str
) -> None:
    result = read(folder, GOOD + line + b"\n" + GOOD)
    assert result.codes == [code]
    assert result.dead[0]["payload"] == line
    assert result.dead[0]["position"] == len(GOOD)
    assert [row["position"] for row in result.rows] == [0, len(GOOD) + len(line) + 1]
    assert result.values[0] == result.values[1]


def test_a_wrong_type_names_field_and_value(folder: InputFolder) -> None:
    result = read(folder, b'{"s": 5}\n{"b": [1]}\n')
    assert [d["error_message"] for d in result.dead] == [
        "s: the number 5 is not a string",
        "b: an array is not a boolean",
    ]
    assert [d["error_field"] for d in result.dead] == ["s", "b"]


def test_numbers_written_as_strings_are_numbers(folder: InputFolder) -> None:
    result = read(folder, b'{"i": "3", "f": "1.5", "b": "true"}\n{"i": 3.0}\n')
    assert result.values == [(None, 1.5, 3, True, None), (None, None, 3, None, None)]


def test_a_line_above_the_limit_is_a_dead_letter(folder: InputFolder) -> None:
    spec = input_spec(FIELDS, type="json", max_record_bytes=2048)
    data = GOOD + b'{"s": "' + b"x" * 5000 + b'"}\n' + GOOD
    result = folder.outcome(data, spec, name="night.json")
    assert (result.codes, len(result.rows)) == (["record_too_large"], 2)


def test_extra_keys_fail_the_run_where_the_spec_says_so(folder: InputFolder) -> None:
    spec = input_spec(FIELDS, type="json", extra_columns="fail")
    with pytest.raises(InputFileError, match=r"night\.json: has a key .*'z'"):
        folder.outcome(GOOD + b'{"z": 1}\n', spec, name="night.json")


def test_a_byte_order_mark_and_gzip_are_read(folder: InputFolder) -> None:
    data = gzip.compress(b"\xef\xbb\xbf" + GOOD)
    result = folder.outcome(data, SPEC, 10, "night.json.gz")
    assert len(result.rows) == 1


def test_an_empty_file_has_no_rows(folder: InputFolder) -> None:
    assert read(folder, b"").rows_in == 0


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["1", "1.5", "true", "2026-01-02"]),
    st.lists(st.integers(), max_size=2),
)
objects = st.dictionaries(st.sampled_from(["s", "f", "i", "b", "t", "z"]), scalars).map(
    lambda row: json.dumps(row).encode()
)
rubbish = st.one_of(
    objects,
    st.sampled_from([b"null", b"", b" ", b"{}", b"{}{}", b'{"z":1,"z":2}', b'{"z":NaN}', b"]"]),
    st.binary(max_size=12),
    st.lists(
        st.sampled_from([b"{", b"}", b'"s"', b":", b"1", b",", b"[", b"]", b"null", b" ", b"\xff"]),
        max_size=9,
    ).map(b"".join),
)
files = st.lists(rubbish, max_size=8).map(b"\n".join)


@given(data=files, split=st.integers(1, 60))
@example(data=b'{"z":[{}\n{}]}\n{}{}', split=10)
@small
def test_one_bad_line_changes_no_other_row_and_no_split_matters(
    shared_folder: InputFolder, data: bytes, split: int
) -> None:
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b")):
        return
    whole = read(shared_folder, data)
    parts = read(shared_folder, data, split)
    # A line that is no JSON sends its whole block down the slow path.
    spoiled = read(shared_folder, b"!\n" + data)
    assert (parts.rows, parts.dead, parts.rows_in) == (whole.rows, whole.dead, whole.rows_in)
    assert spoiled.values == whole.values
    assert spoiled.codes == ["not_json", *whole.codes]
    assert [d["error_message"] for d in spoiled.dead[1:]] == [
        d["error_message"] for d in whole.dead
    ]
