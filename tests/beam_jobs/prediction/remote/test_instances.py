"""Encoding and splitting: what is sent is exactly the rows, within both bounds."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.remote.instances import encode, request_body, sizes
from beam_jobs.prediction.remote.splitting import request_ranges

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ROWS = st.lists(
    st.tuples(
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | TEXT,
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.booleans(),
    ),
    min_size=1,
    max_size=40,
)
NAMES = ["a float", 'te"xt', "integer", "boolean"]
TYPES = [pa.float64(), pa.string(), pa.int64(), pa.bool_()]


def batch(rows: list[tuple]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(c, t) for c, t in zip(columns, TYPES, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, NAMES)


@given(ROWS, st.integers(0, 2**31))
def test_an_instance_is_its_row_as_json(rows: list[tuple], first_key: int) -> None:
    sent = json.loads(request_body(encode(batch(rows), NAMES, first_key)))
    assert sent["parameters"] == {"key": "#"}
    assert [instance.pop("#") for instance in sent["instances"]] == [
        first_key + i for i in range(len(rows))
    ]
    assert [tuple(instance.values()) for instance in sent["instances"]] == rows
    assert all(list(instance) == NAMES for instance in sent["instances"])


def test_times_are_in_iso_8601() -> None:
    moment, day = datetime(2026, 1, 31, 12, 0, 1, 5, UTC), date(2026, 1, 31)
    features = pa.RecordBatch.from_arrays(
        [pa.array([moment, None], pa.timestamp("us", "UTC")), pa.array([day, None], pa.date32())],
        ["at", "on"],
    )
    first, second = json.loads(request_body(encode(features, ["at", "on"], 0)))["instances"]
    assert first == {"at": "2026-01-31T12:00:01.000005Z", "on": "2026-01-31", "#": 0}
    assert second == {"at": None, "on": None, "#": 1}


def test_only_the_inputs_are_sent_in_the_order_of_the_model() -> None:
    instances = encode(batch([(1.5, "x", 7, True)]), ["integer", "a float"], 9)
    assert request_body(instances) == (
        b'{"instances":[{"integer":7,"a float":1.5,"#":9}],"parameters":{"key":"#"}}'
    )


@given(ROWS, st.integers(1, 10), st.integers(60, 600))
def test_requests_tile_the_rows_and_keep_both_bounds(
    rows: list[tuple], most_instances: int, most_bytes: int
) -> None:
    instances = encode(batch(rows), NAMES, 0)
    ranges = list(request_ranges(sizes(instances), most_instances, most_bytes))
    assert [index for start, end in ranges for index in range(start, end)] == [*range(len(rows))]
    for start, end in ranges:
        size = len(request_body(instances.slice(start, end - start)))
        assert end - start <= most_instances
        assert size <= most_bytes or end - start == 1
        if end < len(rows) and end - start < most_instances:
            longer = instances.slice(start, end - start + 1)
            assert len(request_body(longer)) > most_bytes


def test_no_rows_make_no_request() -> None:
    assert (
        list(request_ranges(sizes(encode(batch([(1.0, "", 1, True)]).slice(1), NAMES, 0)), 1, 99))
        == []
    )
