"""The example's streaming requests are real births, broken in known ways."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.reading import MessageReader
from beam_jobs.spec import load_service
from examples.babyweight.births import load_births
from examples.babyweight.requests import BROKEN_REQUESTS, make_requests

SERVICE = Path(__file__).parents[2] / "dags" / "services" / "babyweight.yaml"


def test_requests_are_the_same_whenever_they_are_made() -> None:
    assert make_requests(500) == make_requests(500)
    assert make_requests(500).content != make_requests(500, seed=2).content


def test_each_kind_is_broken_so_many_times_and_the_count_holds_them() -> None:
    made = make_requests(300, broken=3)
    assert len(made.payloads) == 300
    assert made.content.count(b"\n") == 300
    assert made.dead == {str(code): 3 for code in BROKEN_REQUESTS}
    assert made.scored == 300 - 3 * len(BROKEN_REQUESTS)
    with pytest.raises(ValueError, match="cannot hold"):
        make_requests(3)


def test_good_requests_are_real_births_again_where_there_are_not_enough() -> None:
    made = make_requests(3000, broken=0)
    births = load_births().set_index("key")
    keys = [json.loads(payload)["key"] for payload in made.payloads]
    assert set(keys) == set(births.index)
    request = json.loads(made.payloads[0])
    assert request["weight_pounds"] == births.loc[request["key"], "weight_pounds"]


def test_the_job_finds_every_broken_request_for_the_reason_stated() -> None:
    spec = load_service(SERVICE)
    assert spec.streaming is not None
    made = make_requests(1000)
    count = len(made.payloads)
    messages = MessageBatch(
        list(made.payloads),
        [{"request_id": str(index)} for index in range(count)],
        [f"m{index}" for index in range(count)],
        [0] * count,
    )
    read = MessageReader(spec, spec.streaming).read(messages, datetime.now(UTC))
    places, codes = (read.dead.column(name).to_pylist() for name in ("position", "error_code"))
    assert dict(zip(places, codes, strict=True)) == made.broken
    assert len(read.valid.positions) == made.scored
