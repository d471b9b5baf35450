"""Micro-batches of messages become batches for the model."""

from __future__ import annotations

from typing import Any

import pytest

from beam_jobs.messages.requests import Requests
from beam_jobs.runs.code import CodeVersionError
from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.streaming import StreamingPlan, build_streaming_plan
from beam_jobs.transforms.elements import ValidBatch
from beam_jobs.transforms.parse import ParseMessages
from tests.support.messages import CSV, FIELDS, a_batch
from tests.support.specs import a_service, an_environment


def a_plan(model: dict[str, Any] | None = None, **streaming: Any) -> StreamingPlan:
    declared = {"topic": "requests", "subscription": "requests-sub", "payload": CSV, **streaming}
    spec = a_service(input={"fields": FIELDS}, streaming=declared, model=model or {})
    pin = ModelPin(uri="models/v1", version="v1", kind="sklearn", sha256="0" * 64)
    return build_streaming_plan(spec, an_environment(), pin, ())


def parsed(plan: StreamingPlan, *payloads: bytes) -> list[ValidBatch[Requests]]:
    parse = ParseMessages(plan)
    parse.setup()
    return list(parse.process(a_batch(*payloads)))


def test_a_message_of_a_thousand_lines_is_sliced_for_the_model() -> None:
    lines = b"".join(b"k%d,,,,,%d\n" % (n, n % 101) for n in range(1_001))
    batches = parsed(a_plan(batch={"rows": 300}), lines + b"short\n")
    assert [batch.rows.batch.num_rows for batch in batches] == [251, 251, 251, 248]
    assert [batch.rows_in for batch in batches] == [1_002, 0, 0, 0]
    assert [batch.dead.num_rows for batch in batches] == [1, 0, 0, 0]
    for batch in batches:
        who = batch.source.identity.take(batch.rows.positions).column("position").to_pylist()
        assert batch.rows.batch.column("id").to_pylist() == [f"k{n}" for n in who]
        lines_of = batch.rows.payloads.take([0, 1]).to_pylist()
        assert (
            lines_of == batch.source.payloads.take(batch.rows.positions[:2].to_numpy()).to_pylist()
        )


def test_no_more_rows_go_on_together_than_the_model_takes() -> None:
    batches = parsed(a_plan(model={"batch_rows": 2}), b"a,,,,,1\nb,,,,,2\nc,,,,,3")
    assert [batch.rows.batch.num_rows for batch in batches] == [2, 1]


def test_messages_without_any_valid_row_are_a_batch_too() -> None:
    (batch,) = parsed(a_plan(), b"", b"short")
    assert (batch.rows.batch.num_rows, batch.dead.num_rows, batch.rows_in) == (0, 2, 2)


def test_workers_with_other_code_than_the_plans_refuse() -> None:
    plan = a_plan().model_copy(update={"code_version": "0" * 12})
    with pytest.raises(CodeVersionError, match="0" * 12):
        ParseMessages(plan).setup()
