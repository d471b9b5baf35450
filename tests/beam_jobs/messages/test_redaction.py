"""Requests whose letters are redacted, whatever step they fail at."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.reading import MessageReader, ReadRequests
from tests.support.specs import a_service

SECRET = "s3cr3t"


def read(*payloads: bytes, **payload: Any) -> ReadRequests:
    streaming = {"topic": "t-in", "subscription": "t-sub", "payload": {"type": "json", **payload}}
    spec = a_service(input={"redact": ["id"]}, streaming=streaming)
    assert spec.streaming is not None
    batch = MessageBatch(
        list(payloads),
        [{} for _ in payloads],
        [f"m{i}" for i in range(len(payloads))],
        [0] * len(payloads),
    )
    return MessageReader(spec, spec.streaming).read(batch, datetime.now(UTC))


def test_a_dead_request_keeps_all_but_the_redacted_field() -> None:
    found = read(f'{{"id": "{SECRET}", "weeks": "many"}}'.encode())
    [letter] = found.dead.to_pylist()
    assert json.loads(letter["payload"]) == {"id": "[redacted]", "weeks": "many"}
    assert letter["error_code"] == "wrong_type"


def test_a_request_that_fails_later_is_redacted_too() -> None:
    found = read(f'{{"id": "{SECRET}", "weeks": 40}}'.encode())
    assert found.valid.batch.column("id").to_pylist() == [SECRET]
    for payloads in (found.valid.payloads, found.requests.payloads):
        [payload] = payloads.take([0]).to_pylist()
        assert json.loads(payload) == {"id": "[redacted]", "weeks": 40}


def test_what_is_no_json_goes_as_a_whole() -> None:
    [letter] = read(f'{{"id": "{SECRET}"'.encode()).dead.to_pylist()
    assert letter["payload"].startswith(b"[redacted] sha256=")


def test_lines_are_redacted_by_their_columns() -> None:
    found = read(f"{SECRET},many\n{SECRET},1,2".encode(), type="csv", header=False)
    payloads = {row["error_code"]: row["payload"] for row in found.dead.to_pylist()}
    assert payloads["wrong_type"] == b"[redacted],many"
    assert payloads["column_count"].startswith(b"[redacted] sha256=")
