"""A file is taken apart into messages, byte for byte or as JSON objects."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.send.errors import SendError
from beam_jobs.send.payloads import csv_payloads, csv_to_json, json_payloads

LINES = st.lists(st.binary(min_size=1).filter(lambda line: not set(line) & set(b"\r\n")))
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(LINES.filter(lambda lines: not b"".join(lines).startswith(b"\xef\xbb\xbf")),
       st.integers(1, 7), st.sampled_from([b"\n", b"\r\n"]), st.booleans())  # fmt: skip
def test_every_line_is_sent_once_and_in_order_whatever_it_holds(
    lines: list[bytes], lines_per_message: int, end: bytes, last_ends: bool
) -> None:
    content = end.join(lines) + (end if last_ends else b"")
    messages = list(csv_payloads(content, header=False, lines_per_message=lines_per_message))
    assert [line for message in messages for line in message.split(b"\n")] == lines
    assert all(len(message.split(b"\n")) == lines_per_message for message in messages[:-1])
    assert list(json_payloads(content)) == lines


def test_the_header_is_not_sent() -> None:
    assert list(csv_payloads(b"\xef\xbb\xbfname,age\nann,30\n", header=True)) == [b"ann,30"]


def test_blank_lines_are_not_sent() -> None:
    assert list(csv_payloads(b"a,b\n\n1,2\r\n\r\n", header=True)) == [b"1,2"]


@given(st.lists(CELLS, min_size=2, max_size=4, unique=True), st.data())
def test_a_row_becomes_an_object_by_the_names_of_the_header(
    names: list[str], data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names))))
    text = io.StringIO()
    csv.writer(text).writerows([names, *rows])
    objects = [json.loads(payload) for payload in csv_to_json(text.getvalue().encode())]
    assert objects == [
        {name: cell or None for name, cell in zip(names, row, strict=True)} for row in rows
    ]


def test_values_stay_strings_and_an_empty_cell_is_null() -> None:
    assert list(csv_to_json(b"name,age,weight\nann,30,\n")) == [
        b'{"name": "ann", "age": "30", "weight": null}'
    ]


def test_a_row_with_a_cell_too_many_is_named_by_its_line() -> None:
    with pytest.raises(SendError, match="line 3 has 3 cells, the header has 2"):
        list(csv_to_json(b"name,age\nann,30\nbob,40,41\n"))


def test_what_is_not_utf8_is_named_by_its_line() -> None:
    with pytest.raises(SendError, match="line 3 is not UTF-8"):
        list(csv_to_json(b"name,age\nann,30\nb\xffb,40\n"))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a,b\n"])
def test_a_file_without_requests_gives_none(content: bytes) -> None:
    assert list(csv_payloads(content, header=True)) == []
    assert list(csv_to_json(content)) == []
