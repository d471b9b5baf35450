"""Bad CSV input: a clear error for the file, or a dead letter with its reason for the row."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import pytest

from beam_jobs.objects import ObjectChangedError, open_objects
from beam_jobs.reading import InputFileError, inspect, read
from tests.support.input_files import InputFolder, input_spec, outcome, pinned

FIELDS = [
    {"name": "key", "type": "string"},
    {"name": "age", "type": "float", "range": [10, 60]},
    {"name": "weeks", "type": "integer", "nullable": True},
]
SPEC = input_spec(FIELDS)
HEADER = b"key,age,weeks\n"


def test_an_empty_file_has_no_rows(folder: InputFolder) -> None:
    result = folder.outcome(b"", SPEC)
    assert (result.rows_in, result.rows, result.dead) == (0, [], [])


@pytest.mark.parametrize("data", [b"\n\r\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_a_file_of_blank_lines_has_no_rows(folder: InputFolder, data: bytes) -> None:
    assert folder.outcome(data, SPEC).rows_in == 0


@pytest.mark.parametrize("data", [HEADER, HEADER.strip(), b"\n" + HEADER + b"\r\n"])
def test_a_file_with_a_header_only_has_no_rows(folder: InputFolder, data: bytes) -> None:
    result = folder.outcome(data, SPEC)
    assert result.rows_in == 0
    assert result.layout.columns == ("key", "age", "weeks")


def test_a_wrong_header_fails_the_run(folder: InputFolder) -> None:
    with pytest.raises(
        InputFileError, match=r"night\.csv: lacks the required columns 'key', 'age'"
    ):
        folder.outcome(b"a,1,2\nb,20,3\n", SPEC)


def test_a_missing_required_column_names_file_column_and_remedy(folder: InputFolder) -> None:
    with pytest.raises(InputFileError) as raised:
        folder.outcome(b"key,Age,weeks\na,20,3\n", SPEC)
    assert raised.value.uri.endswith("night.csv")
    assert "lacks the required column 'age'" in str(raised.value)
    assert "Remedy: rename 'Age' to 'age'" in str(raised.value)


def test_a_missing_optional_column_is_null(folder: InputFolder) -> None:
    assert folder.outcome(b"age,key\n20,a\n", SPEC).values == [("a", 20.0, None)]


def test_a_missing_column_with_a_default_holds_it(folder: InputFolder) -> None:
    spec = input_spec([*FIELDS[:2], {"name": "weeks", "type": "integer", "default": 40}])
    assert folder.outcome(b"age,key\n20,a\n", spec).values == [("a", 20.0, 40)]


def test_extra_columns_are_ignored_and_known(folder: InputFolder) -> None:
    result = folder.outcome(b"x,key,,age,,weeks\nq,a,,20,,3\n", SPEC)
    assert result.values == [("a", 20.0, 3)]
    assert result.layout.extra_columns == ("x", "", "")


def test_extra_columns_fail_the_run_where_the_spec_says_so(folder: InputFolder) -> None:
    with pytest.raises(InputFileError, match=r"no field of the contract: 'x'.*extra_columns"):
        folder.outcome(b"key,age,weeks,x\na,20,3,4\n", input_spec(FIELDS, extra_columns="fail"))


def test_a_column_that_is_there_twice_fails_the_run(folder: InputFolder) -> None:
    with pytest.raises(InputFileError, match="'age' is there twice"):
        folder.outcome(b"key,age,age,weeks\na,20,21,3\n", SPEC)


def test_the_header_may_hold_blanks_and_quotes_and_any_order(folder: InputFolder) -> None:
    result = folder.outcome(b'weeks ,"age", key\n3,20,a\n', SPEC)
    assert result.values == [("a", 20.0, 3)]


def test_a_file_without_header_has_the_fields_in_order(folder: InputFolder) -> None:
    result = folder.outcome(b"a,20,3\nb,21,4\n", input_spec(FIELDS, header=False))
    assert result.values == [("a", 20.0, 3), ("b", 21.0, 4)]


def test_ragged_lines_are_dead_letters(folder: InputFolder) -> None:
    result = folder.outcome(HEADER + b"a,20,3\nb,20\n\nc,20,3,4\nd,20,3\n", SPEC)
    assert [row["key"] for row in result.rows] == ["a", "d"]
    assert [(d["error_code"], d["payload"], d["position"]) for d in result.dead] == [
        ("column_count", b"b,20", 21),
        ("column_count", b"c,20,3,4", 27),
    ]
    assert result.dead[0]["error_message"] == "the record has 2 values, not 3"
    assert result.dead[0]["stage"] == "read"


def test_a_line_with_an_odd_quote_is_a_dead_letter(folder: InputFolder) -> None:
    result = folder.outcome(HEADER + b'"a,20,3\nb,20,3\n"c",21,"4\n"d""",22,"4"\n', SPEC)
    assert result.values == [("b", 20.0, 3), ('d"', 22.0, 4)]
    assert result.codes == ["unbalanced_quote", "unbalanced_quote"]
    assert result.dead[0]["payload"] == b'"a,20,3'


def test_a_quote_inside_a_plain_value_is_a_character(folder: InputFolder) -> None:
    assert folder.outcome(HEADER + b"5'10\",20,3\n", SPEC).values == [("5'10\"", 20.0, 3)]


def test_newlines_in_quotes_are_kept_where_the_spec_allows_them(folder: InputFolder) -> None:
    spec = input_spec(FIELDS, newlines_in_values=True)
    result = folder.outcome(HEADER + b'"a\nb\r\n",20,3\n"c,\n",21,4\n', spec, split_bytes=5)
    assert result.values == [("a\nb\r\n", 20.0, 3), ("c,\n", 21.0, 4)]
    assert [row["position"] for row in result.rows] == [14, 27]
    assert len(result.layout.ranges(5)) == 1


def test_newlines_in_quotes_are_dead_letters_where_it_does_not(folder: InputFolder) -> None:
    result = folder.outcome(HEADER + b'"a\nb",20,3\nc,21,4\n', SPEC)
    assert result.values[-1] == ("c", 21.0, 4)
    assert result.codes[0] == "unbalanced_quote"
    assert result.rows_in == 3


def test_a_quote_never_closed_costs_its_line_alone(folder: InputFolder) -> None:
    spec = input_spec(FIELDS, newlines_in_values=True)
    result = folder.outcome(HEADER + b'a,20,3\n"b,20,3\nc,20,3\nd,20,3\n', spec)
    assert [row["key"] for row in result.rows] == ["a", "c", "d"]
    assert [(d["error_code"], d["payload"]) for d in result.dead] == [
        ("unbalanced_quote", b'"b,20,3')
    ]


def test_bytes_that_are_not_utf8_are_dead_letters(folder: InputFolder) -> None:
    result = folder.outcome(HEADER + "é,20,3\n".encode() + b"\xe9,20,3\n" + b"c,20,3\n", SPEC)
    assert [row["key"] for row in result.rows] == ["é", "c"]
    assert [(d["error_code"], d["payload"]) for d in result.dead] == [("not_utf8", b"\xe9,20,3")]


def test_bytes_that_are_not_utf8_are_seen_in_columns_nobody_reads(folder: InputFolder) -> None:
    result = folder.outcome(b"key,age,weeks,x\na,20,3,\xff\nb,20,3,y\n", SPEC)
    assert result.codes == ["not_utf8"]
    assert len(result.rows) == 1


def test_nul_bytes_are_dead_letters(folder: InputFolder) -> None:
    result = folder.outcome(HEADER + b"a\0,20,3\nb,20,3\n", SPEC)
    assert (result.codes, len(result.rows)) == (["nul_byte"], 1)


def test_a_line_of_one_megabyte_is_a_row(folder: InputFolder) -> None:
    result = folder.outcome(HEADER + b"x" * 1_000_000 + b",20,3\nb,20,3\n", SPEC, 100_000)
    assert [len(row["key"]) for row in result.rows] == [1_000_000, 1]


def test_a_line_above_the_limit_is_a_dead_letter(folder: InputFolder) -> None:
    spec = input_spec(FIELDS, max_record_bytes=100_000)
    data = HEADER + b"a,20,3\n" + b"x" * 1_000_000 + b",20,3\nb,20,3\n"
    for split in (1 << 30, 150_000):
        result = folder.outcome(data, spec, split)
        assert [row["key"] for row in result.rows] == ["a", "b"]
        assert result.codes == ["record_too_large"]
        assert "1000005 bytes" in result.dead[0]["error_message"]
        assert len(result.dead[0]["payload"]) == 65_536


def test_numbers_out_of_range_are_dead_letters(folder: InputFolder) -> None:
    result = folder.outcome(HEADER + b"a,9.9,3\nb,10,3\nc,60,3\nd,60.1,3\n", SPEC)
    assert [row["key"] for row in result.rows] == ["b", "c"]
    assert result.codes == ["out_of_range", "out_of_range"]
    assert result.dead[0]["error_message"] == "age: 9.9 is below the lowest value 10"
    assert result.dead[0]["error_field"] == "age"
    assert result.dead[0]["payload"] == b"a,9.9,3"


@pytest.mark.parametrize("value", [b"NaN", b"nan", b"inf", b"-Infinity", b"1e999"])
def test_nan_and_infinity_are_dead_letters(folder: InputFolder, value: bytes) -> None:
    result = folder.outcome(HEADER + b"a," + value + b",3\nb,20,3\n", SPEC)
    assert (result.codes, len(result.rows)) == (["not_finite"], 1)


def test_crlf_ends_a_line(folder: InputFolder) -> None:
    data = (HEADER + b"a,20,3\n\nb,21,4\n").replace(b"\n", b"\r\n")
    for split in (1 << 30, 1, 7):
        result = folder.outcome(data, SPEC, split)
        assert result.values == [("a", 20.0, 3), ("b", 21.0, 4)]
        assert [row["position"] for row in result.rows] == [15, 25]


def test_a_carriage_return_alone_ends_a_line(folder: InputFolder) -> None:
    result = folder.outcome((HEADER + b"a,20,3\nb,21,4\n").replace(b"\n", b"\r"), SPEC, 5)
    assert result.values == [("a", 20.0, 3), ("b", 21.0, 4)]


def test_a_byte_order_mark_is_no_part_of_the_header(folder: InputFolder) -> None:
    result = folder.outcome(b"\xef\xbb\xbf" + b'"key",age,weeks\na,20,3\n', SPEC)
    assert result.values == [("a", 20.0, 3)]
    assert result.rows[0]["position"] == 19


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_fails_the_run(folder: InputFolder, encoding: str) -> None:
    with pytest.raises(InputFileError, match=r"encoded in UTF-16.*Remedy: write the file as UTF-8"):
        folder.outcome("\ufeffkey,age\n".encode(encoding), SPEC)


def test_gzip_is_read_as_one_range(folder: InputFolder) -> None:
    members = gzip.compress(HEADER + b"a,20,") + gzip.compress(b"3\nb,21,4\n") + b"\0" * 16
    result = folder.outcome(members, SPEC, 10, "night.csv.gz")
    assert result.values == [("a", 20.0, 3), ("b", 21.0, 4)]
    assert [row["position"] for row in result.rows] == [14, 21]
    assert len(result.layout.ranges(10)) == 1


def test_truncated_gzip_fails_the_run(folder: InputFolder) -> None:
    rows = b"".join(b"key%d,20,%d\n" % (i, i) for i in range(50_000))
    whole = gzip.compress(HEADER + rows)
    with pytest.raises(InputFileError, match=r"night\.csv\.gz: the gzip stream is truncated"):
        folder.outcome(whole[:-2000], SPEC, name="night.csv.gz")


def test_damaged_gzip_fails_the_run(folder: InputFolder) -> None:
    whole = bytearray(gzip.compress(HEADER + b"a,20,3\n" * 1000))
    whole[-6] ^= 0xFF
    with pytest.raises(InputFileError, match="damaged"):
        folder.outcome(bytes(whole), SPEC, name="night.csv.gz")


def test_a_plain_file_named_gz_fails_the_run(folder: InputFolder) -> None:
    with pytest.raises(InputFileError, match="not gzip"):
        folder.outcome(HEADER, SPEC, name="night.csv.gz")


def test_a_gzip_file_not_named_so_fails_the_run(folder: InputFolder) -> None:
    with pytest.raises(InputFileError, match=r"compressed with gzip.*format\.compression"):
        folder.outcome(gzip.compress(HEADER), SPEC)
    spec = input_spec(FIELDS, compression="gzip")
    assert folder.outcome(gzip.compress(HEADER + b"a,20,3\n"), spec).rows_in == 1


def test_two_files_of_one_name_in_two_folders_are_two_files(tmp_path: Path) -> None:
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_bytes(HEADER + name.encode() + b",20,3\n")
    found = [outcome(tmp_path / name / "a.csv", SPEC) for name in ("east", "west")]
    assert [result.values[0][0] for result in found] == ["east", "west"]
    assert found[0].layout.object.uri != found[1].layout.object.uri


def test_an_object_overwritten_during_the_run_is_named(folder: InputFolder) -> None:
    path = folder.write(HEADER + b"a,20,3\n")
    objects = open_objects(str(path))
    layout = inspect(SPEC, pinned(path), objects)
    folder.write(HEADER + b"another,20,3\n")
    [range_] = layout.ranges(1 << 30)
    with pytest.raises(ObjectChangedError, match=r"night\.csv changed"):
        list(read(SPEC, layout, range_, objects))


@pytest.mark.parametrize(
    ("cell", "code"),
    [(b"abc", "wrong_type"), (b"1.5", "wrong_type"), (b"9223372036854775808", "wrong_type")],
)
def test_a_cell_that_does_not_convert_is_named(folder: InputFolder, cell: bytes, code: str) -> None:
    result = folder.outcome(HEADER + b"a,20,3\nb,21," + cell + b"\nc,22,5\n", SPEC)
    assert result.values == [("a", 20.0, 3), ("c", 22.0, 5)]
    assert result.codes == [code]
    assert result.dead[0]["error_message"] == f"weeks: '{cell.decode()}' is not an integer"
    assert result.dead[0]["stage"] == "validate"


def test_null_tokens_are_null_in_every_type_quoted_or_not(folder: InputFolder) -> None:
    nullable = [dict(field, nullable=True) for field in FIELDS]
    spec = input_spec(nullable, null_tokens=["", "NA"])
    result = folder.outcome(HEADER + b'NA,"NA",\n"",NA,"NA"\n', spec)
    assert result.values == [(None, None, None), (None, None, None)]


def test_a_required_value_that_is_null_is_a_dead_letter(folder: InputFolder) -> None:
    result = folder.outcome(HEADER + b"a,,3\n,20,3\nb,20,\n", SPEC)
    assert result.values == [("b", 20.0, None)]
    assert [(d["error_code"], d["error_field"]) for d in result.dead] == [
        ("missing_value", "age"),
        ("missing_value", "key"),
    ]


def test_true_and_false_are_the_words_of_the_spec(folder: InputFolder) -> None:
    fields = [{"name": "key", "type": "string"}, {"name": "ok", "type": "boolean"}]
    spec = input_spec(fields, true_tokens=["ja"], false_tokens=["nein"], delimiter=";")
    result = folder.outcome(b"key;ok\na;ja\nb;nein\n", spec)
    assert result.values == [("a", True), ("b", False)]
    spoiled = folder.outcome(b"key;ok\na;ja\nb;nein\nc;true\n", spec)
    assert spoiled.values == result.values
    assert spoiled.codes == ["wrong_type"]


def test_a_header_with_an_open_quote_fails_the_run(folder: InputFolder) -> None:
    with pytest.raises(InputFileError, match="the header cannot be read"):
        folder.outcome(b'"key,age,weeks\na,20,3\n', SPEC)


def test_errors_and_layouts_travel_between_workers(folder: InputFolder) -> None:
    error = pickle.loads(pickle.dumps(InputFileError("a.csv", "is odd", "mend it")))
    assert (error.uri, str(error)) == ("a.csv", "a.csv: is odd. Remedy: mend it")
    layout = folder.outcome(HEADER, SPEC).layout
    assert pickle.loads(pickle.dumps(layout)) == layout
