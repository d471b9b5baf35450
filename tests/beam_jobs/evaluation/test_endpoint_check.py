"""Whether a deployed model answers as the same version does here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from google.auth.credentials import AnonymousCredentials
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.evaluation.endpoint_check import check_endpoint, most_requests
from beam_jobs.evaluation.errors import EvaluationError
from beam_jobs.objects.files import FileObjects
from beam_jobs.prediction.models import Model, open_model
from beam_jobs.prediction.remote.client import EndpointClient
from beam_jobs.runs.plan import EndpointPin
from tests.support.endpoint_server import (
    DEPLOYED,
    NAME,
    Answer,
    EndpointServer,
    Fault,
    Instance,
    always,
    changed,
    endpoint_server,
    google_error,
)
from tests.support.models import Moody, release
from tests.support.remote_models import FastClock, weeks

ROWS = weeks([40.0, 30.0, 20.0])
OTHER = "1234"


@pytest.fixture
def model(tmp_path: Path) -> Model:
    manifest = release(str(tmp_path), "v2", FileObjects(), model=Moody())
    return open_model(f"{tmp_path}/v2", manifest.sha256)


def check(server: EndpointServer, model: Model, rows: pa.RecordBatch, percent: int) -> int:
    with endpoint_server(server):
        pin = EndpointPin(name=NAME, address=server.address)
        client = EndpointClient(pin, 1, 10, AnonymousCredentials())
        return check_endpoint(client, model, rows, DEPLOYED, percent, FastClock().clock)


def answered_by_another(every: int) -> Fault:
    """All requests but one of so many are the other deployed model's, which answers rubbish."""
    counter = itertools.count(1)

    def fault(instances: Sequence[Instance], answer: Answer) -> Answer:
        if next(counter) % every == 0:
            return answer
        headers = {**answer.headers, "x-vertex-ai-deployed-model-id": OTHER}
        return Answer(200, {"predictions": [{"weight": 0.0} for _ in instances]}, headers)

    return fault


def test_requests_go_out_until_the_deployed_model_in_question_has_answered(model: Model) -> None:
    server = EndpointServer(faults=[answered_by_another(every=5)])
    assert check(server, model, ROWS, percent=20) == 3
    assert len(server.requests) == 5


def test_a_deployed_model_that_is_never_met_is_an_error(model: Model) -> None:
    server = EndpointServer(deployed=OTHER)
    with pytest.raises(EvaluationError, match=r"answered none of 30 requests.*Remedy"):
        check(server, model, ROWS, percent=50)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (changed(lambda rows: rows[:-1]), "2 predictions for 3 instances"),
        (changed(lambda rows: rows[::-1]), "other keys"),
        (changed(lambda rows: [{**row, "weight": 8.1} for row in rows]), "held-out row 0 is 8.1"),
    ],
)
def test_another_answer_than_the_models_own_is_an_error(
    model: Model, fault: Fault, said: str
) -> None:
    with pytest.raises(EvaluationError, match=said):
        check(EndpointServer(faults=[fault]), model, ROWS, percent=100)


def test_a_busy_endpoint_is_asked_again_and_one_that_denies_is_not(model: Model) -> None:
    busy = google_error(503, "UNAVAILABLE", "come again", Retry_After="2")
    counter = itertools.count()
    server = EndpointServer(faults=[lambda _, answer: answer if next(counter) > 2 else busy])
    assert check(server, model, ROWS, percent=100) == 3
    denied = EndpointServer(faults=[always(google_error(403, "PERMISSION_DENIED", "no"))])
    with pytest.raises(EvaluationError, match=r"HTTP 403.*Remedy: grant"):
        check(denied, model, ROWS, percent=100)
    assert len(denied.requests) == 1


@given(st.integers(1, 100))
def test_a_model_with_its_share_is_all_but_certainly_met(percent: int) -> None:
    missed = (1 - percent / 100) ** most_requests(percent)
    assert missed <= 1e-9
    assert most_requests(percent) <= 2_100
