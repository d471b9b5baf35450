"""Whatever bytes a CSV file holds, each record comes out once, the same at every split."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.support.csv_reference import records, verdict
from tests.support.input_files import InputFolder, input_spec

FIELDS = [
    {"name": "s", "type": "string", "nullable": True},
    {"name": "f", "type": "float", "nullable": True},
    {"name": "i", "type": "integer", "nullable": True},
]
TYPES = [field["type"] for field in FIELDS]

SIGNS = [
    "a",
    "1",
    "7",
    ".",
    ",",
    ",",
    '"',
    '"',
    "\n",
    "\n",
    "\r",
    "\r\n",
    " ",
    "\t",
    "-",
    "e",
    "nan",
    "\0",
]
TOKENS = [sign.encode() for sign in SIGNS] + ["é".encode(), b"\xff", b"\xef\xbb\xbf", b"x,1,2\n"]
rubbish = st.lists(st.sampled_from(TOKENS), max_size=40).map(b"".join)

cells = st.one_of(
    st.sampled_from(["", "1", "2.5", " 3 ", "abc", "3.0", "nan", '"', '""', 'a"b', "1e3", "é"]),
    st.text('ab1.,"\n ', max_size=4),
)
splits = st.integers(1, 60)
small = settings(
    max_examples=100,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _quoted(cell: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """A file as a program writes it: some rows ragged, some line ends of each kind."""
    rows = draw(st.lists(st.lists(cells, min_size=2, max_size=4), max_size=8))
    lines = [
        ",".join(_quoted(c) if draw(st.booleans()) else c for c in row)
        + draw(st.sampled_from(["\n", "\r\n", "\r"]))
        for row in rows
    ]
    return "".join(lines).encode()


@pytest.mark.parametrize("newlines_in_values", [False, True])
@given(data=rubbish | written(), split=splits)
@example(data=b'a,1,"\nb,2,3\n"', split=5)
@example(data=b"\xef\xbb\xbfa,1,2\nb,1,2\n\xef\xbb\xbfc,1,2\n", split=9)
@example(data=b'"a""\n",1,2\nx,"1\n2",3\n', split=1)
@small
def test_the_reader_agrees_with_a_simple_one(
    shared_folder: InputFolder, newlines_in_values: bool, data: bytes, split: int
) -> None:
    spec = input_spec(FIELDS, header=False, newlines_in_values=newlines_in_values)
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    if data[start:].startswith((b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b")):
        return
    expected = [
        (start + position, verdict(record, opened, TYPES, newlines_in_values))
        for position, record, opened in records(data[start:], newlines_in_values)
    ]
    for size in (1 << 40, split):
        result = shared_folder.outcome(data, spec, size)
        found = [(r["position"], tuple(r[f["name"]] for f in FIELDS)) for r in result.rows]
        found += [(d["position"], d["error_code"]) for d in result.dead]
        assert sorted(found, key=lambda pair: pair[0]) == expected
        assert result.rows_in == len(expected)


@given(data=rubbish, split=splits, quote=st.sampled_from([None, "'"]))
@small
def test_quotes_are_ordinary_where_the_spec_says_so(
    shared_folder: InputFolder, data: bytes, split: int, quote: str | None
) -> None:
    spec = input_spec(FIELDS, header=False, quote=quote)
    body = data.removeprefix(b"\xef\xbb\xbf")
    lines = [line for line in re.split(rb"\r\n|\r|\n", body) if line]
    result = shared_folder.outcome(data, spec, split)
    assert result.rows_in == len(lines)
    assert "unbalanced_quote" not in result.codes
    assert len(result.rows) + len(result.dead) == len(lines)


@given(data=written(), split=splits)
@small
def test_one_bad_cell_changes_no_other_row(
    shared_folder: InputFolder, data: bytes, split: int
) -> None:
    spec = input_spec(FIELDS, header=False)
    clean = shared_folder.outcome(data, spec, split)
    spoiled = shared_folder.outcome(b"bad,x,1\nbad,1,x\n" + data, spec, split)
    assert spoiled.values == clean.values
    assert sorted(spoiled.codes) == sorted([*clean.codes, "wrong_type", "wrong_type"])
