"""What a team sees of its streaming job: kept, fed, suspended and resumed by Airflow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.babyweight.requests import make_requests
from tests.support.stack_nights import StackNights
from tests.support.stack_rounds import StackRounds

pytestmark = pytest.mark.stack

DEAD = "SELECT error_code, COUNT(*) AS requests FROM {view} GROUP BY error_code"


@pytest.fixture(scope="module")
def streaming(nights: StackNights) -> Iterator[StackRounds]:
    rounds = StackRounds.on(nights)
    yield rounds
    rounds.end()


def rows(streaming: StackRounds, kind: str, sql: str) -> list[dict[str, object]]:
    view = f"`{streaming.nights.dataset}.babyweight_{kind}_live_unique`"
    return [dict(row) for row in streaming.nights.client.query_and_wait(sql.format(view=view))]


def test_the_job_is_launched_answers_every_request_and_is_suspended_and_resumed(
    streaming: StackRounds, tmp_path: Path
) -> None:
    requests = make_requests(count=200, broken=1)
    file = tmp_path / "requests.jsonl"
    file.write_bytes(requests.content)

    job_id = streaming.wait_for_job("RUNNING")
    sender = [sys.executable, "-m", "beam_jobs.send", "--topic", "babyweight-requests"]
    answers = ["--wait", "--responses", "babyweight-answers"]
    stack = streaming.nights.stack
    sent = stack.run(*sender, *answers, "--file", str(file), "--rate", "100")
    assert sent.returncode == 0, sent.stdout + sent.stderr

    again = streaming.act("reconcile")
    assert streaming.nights.task_states(again)["act"] == "skipped"
    assert streaming.jobs() == {job_id: "RUNNING"}

    streaming.act("suspend")
    assert streaming.wait_for_job("DRAINED") == job_id
    streaming.wait_for_rounds(2)
    assert streaming.jobs() == {job_id: "DRAINED"}, "later rounds obey"

    streaming.act("resume")
    second = streaming.wait_for_job("RUNNING")
    assert streaming.jobs() == {job_id: "DRAINED", second: "RUNNING"}

    [counted] = rows(streaming, "predictions", "SELECT COUNT(*) AS scored FROM {view}")
    assert counted["scored"] == requests.scored
    dead = {row["error_code"]: row["requests"] for row in rows(streaming, "dead_letters", DEAD)}
    assert dead == requests.dead
