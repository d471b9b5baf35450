"""A night by an endpoint: the partition is exact, or the run fails and nothing is published."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest

from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.plan import EndpointPin, RunPlan
from examples.babyweight.births import FEATURES
from examples.babyweight.nights import make_night
from tests.support.endpoint_server import (
    DEPLOYED,
    NAME,
    EndpointServer,
    Fault,
    Instance,
    always,
    changed,
    endpoint_server,
    from_request,
    google_error,
    poisoned,
    sometimes,
)
from tests.support.local_cloud import ObservedCloud
from tests.support.scored_night import NightFolder, run

POISON = 33.3
BUSY = [
    google_error(429, "RESOURCE_EXHAUSTED", "slow down"),
    google_error(503, "UNAVAILABLE", "later", Retry_After="0"),
]


@pytest.fixture
def server(night: NightFolder, cloud_env: ObservedCloud) -> Iterator[EndpointServer]:  # noqa: ARG001
    """The night's own model, behind an endpoint."""
    model = joblib.load(io.BytesIO(night.trained[1]))

    def predict(instances: Sequence[Instance]) -> list[dict[str, Any]]:
        answers = model.predict(pd.DataFrame.from_records(instances)[FEATURES])
        return [{"predicted_weight_pounds": float(answer)} for answer in answers]

    with endpoint_server(EndpointServer(predict=predict)) as running:
        yield running


@pytest.fixture
def births(night: NightFolder) -> None:
    for name, content in make_night(date(2026, 1, 1), births=400, broken=3).files.items():
        night.write(name, content)


def by_endpoint(night: NightFolder, server: EndpointServer) -> RunPlan:
    asked = {"name": "7", "most_instances": 20, "retry_seconds": 20, "concurrency": 4}
    plan = night.plan(model={"kind": "vertex_endpoint", "endpoint": asked})
    pin = EndpointPin(name=NAME, address=server.address, deployed_model_id=DEPLOYED)
    return plan.model_copy(update={"model": plan.model.model_copy(update={"endpoint": pin})})


def compared(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns=["deployed_model_id", "run_key", "scored_at"])


@pytest.mark.usefixtures("births")
def test_a_busy_endpoint_predicts_what_a_worker_does(
    night: NightFolder, server: EndpointServer
) -> None:
    server.faults = [sometimes(0.3, BUSY)]
    remote, local = run(by_endpoint(night, server)), night.score()
    pd.testing.assert_frame_equal(compared(remote.predictions), compared(local.predictions))
    assert set(remote.predictions["deployed_model_id"]) == {DEPLOYED}
    assert local.predictions["deployed_model_id"].isna().all()
    assert remote.manifest.summary.dead_by_code == local.manifest.summary.dead_by_code
    counted = remote.counters
    assert counted["endpoint_requests"] - counted["endpoint_retries"] <= 24
    assert counted["endpoint_retries"] > 0


@pytest.mark.usefixtures("births")
def test_a_poison_instance_is_the_only_further_dead_letter(
    night: NightFolder, server: EndpointServer
) -> None:
    night.write("bad.csv", _one_birth(POISON).encode())
    server.faults = [poisoned(POISON, google_error(500, "INTERNAL", "the container crashed"))]
    scored = run(by_endpoint(night, server))
    (dead,) = scored.dead_letters[scored.dead_letters["stage"] == "predict"].itertuples()
    assert dead.error_code == "prediction_failed"
    assert b"33.3" in dead.payload
    assert scored.manifest.rows_scored == 400
    assert scored.manifest.rows_in == scored.manifest.rows_scored + scored.manifest.rows_dead


@pytest.mark.usefixtures("births")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            lambda _, answer: type(answer)(
                answer.status, answer.body, {"x-vertex-ai-deployed-model-id": "4712"}
            ),
            "4712 answers",
        ),
        (always(google_error(404, "NOT_FOUND", "undeployed")), "undeployed.*Remedy"),
        (changed(lambda predictions: predictions[:-1]), "predictions for"),
        (changed(lambda predictions: predictions[::-1]), "other keys"),
    ],
    ids=["redeployed", "undeployed", "short answers", "reordered answers"],
)
def test_a_night_that_its_model_does_not_score_fails_without_a_manifest(
    night: NightFolder, server: EndpointServer, fault: Fault, said: str
) -> None:
    server.faults = [from_request(3, fault)]
    plan = by_endpoint(night, server)
    with pytest.raises(Exception, match=said):
        run(plan)
    assert not Path(RunLayout(plan.root, plan.run_key).attempt(1).manifest).exists()


def _one_birth(weeks: float) -> str:
    names = ["weight_pounds", "is_male", "mother_age", "plurality", "gestation_weeks", "key"]
    return f"{','.join(names)}\n7.5,True,30,Single(1),{weeks},poison\n"
