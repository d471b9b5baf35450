"""What a team sees of its streaming job: started, fed and drained by Airflow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from examples.babyweight.requests import make_requests
from tests.support.stack_nights import StackNights

pytestmark = pytest.mark.stack

DEAD = "SELECT error_code, COUNT(*) AS requests FROM {view} GROUP BY error_code"


@pytest.fixture(scope="module")
def streaming(nights: StackNights) -> StackNights:
    return nights.switched_on("babyweight_streaming")


def rows(streaming: StackNights, kind: str, sql: str) -> list[dict[str, object]]:
    view = f"`{streaming.dataset}.babyweight_{kind}_live_unique`"
    return [dict(row) for row in streaming.client.query_and_wait(sql.format(view=view))]


def test_the_job_is_started_answers_every_request_and_is_drained(
    streaming: StackNights, tmp_path: Path
) -> None:
    requests = make_requests(count=200, broken=2)
    file = tmp_path / "requests.jsonl"
    file.write_bytes(requests.content)

    streaming.act("start")
    sender = [sys.executable, "-m", "beam_jobs.send", "--topic", "babyweight-requests"]
    answers = ["--wait", "--responses", "babyweight-answers"]
    sent = streaming.stack.run(*sender, *answers, "--file", str(file), "--rate", "100")
    assert sent.returncode == 0, sent.stdout + sent.stderr
    again = streaming.act("start")
    assert "is there already: job" in streaming.log(again, "start")
    streaming.act("drain")

    [counted] = rows(streaming, "predictions", "SELECT COUNT(*) AS scored FROM {view}")
    assert counted["scored"] == requests.scored
    dead = {row["error_code"]: row["requests"] for row in rows(streaming, "dead_letters", DEAD)}
    assert dead == requests.dead
