"""Batches asked of a real HTTP server: every row gets its own prediction, or is known not to."""

from __future__ import annotations

import pyarrow as pa
import pytest
from google.auth.credentials import Credentials

from beam_jobs.prediction.manifest import ModelColumn
from beam_jobs.prediction.scoring import ModelUnavailableError, Predicted
from beam_jobs.runs.dead_letter import ErrorCode
from tests.support.endpoint_server import (
    DEPLOYED,
    Answer,
    EndpointServer,
    always,
    changed,
    google_error,
    hanging,
    poisoned,
    sometimes,
)
from tests.support.remote_models import MANIFEST, SHA256, FastClock, remote_model, weeks

ROWS = [float(i) for i in range(200)]
POISON = 117.0
HTML = Answer(200, b"<html><body>502 Bad Gateway</body></html>")
BUSY = [
    google_error(429, "RESOURCE_EXHAUSTED", "slow down", Retry_After="1"),
    google_error(503, "UNAVAILABLE", "try again"),
]


def all_scored(predicted: Predicted) -> bool:
    return predicted.indices is None and predicted.outputs.column("weight").to_pylist() == [
        row / 5 for row in ROWS
    ]


def only_the_poison_fails(predicted: Predicted) -> bool:
    good = [i for i, row in enumerate(ROWS) if row != POISON]
    return (
        predicted.failed.indices.tolist() == [ROWS.index(POISON)]
        and predicted.indices is not None
        and predicted.indices.tolist() == good
        and predicted.outputs.column("weight").to_pylist() == [ROWS[i] / 5 for i in good]
    )


def test_a_batch_is_asked_in_few_requests_several_at_a_time(server: EndpointServer) -> None:
    server.faults = [hanging(0.0, 0.2)]
    predicted = remote_model(server, most_instances=30, concurrency=4).score(weeks(ROWS))
    assert all_scored(predicted)
    assert sorted(map(len, server.requests)) == [20, *[30] * 6]
    assert 1 < server.most_at_a_time <= 4


def test_each_row_names_the_deployed_model_that_answered(server: EndpointServer) -> None:
    predicted = remote_model(server).score(weeks(ROWS))
    assert set(predicted.outputs.column("deployed_model_id").to_pylist()) == {DEPLOYED}


def test_without_a_pin_each_row_names_the_version_too(server: EndpointServer) -> None:
    server.model = {"name": "weights", "version": "v2", "sha256": "6" * 64}
    predicted = remote_model(server, deployed=None).score(weeks(ROWS))
    assert set(predicted.outputs.column("model_version").to_pylist()) == {"v2"}


def test_a_batch_without_rows_asks_nothing(server: EndpointServer) -> None:
    model = remote_model(server)
    predicted = model.score(weeks([]))
    assert predicted.outputs.schema == model.output_schema
    assert server.requests == []


def test_an_endpoint_that_is_busy_at_30_percent_loses_no_row(server: EndpointServer) -> None:
    server.faults = [sometimes(0.3, BUSY)]
    time = FastClock()
    predicted = remote_model(server, time.clock, most_instances=4).score(weeks(ROWS))
    assert all_scored(predicted)
    assert len(server.requests) > len(ROWS) / 4
    assert any(slept >= 1 for slept in time.slept)


def test_an_endpoint_that_stays_busy_is_unavailable_after_a_bounded_time(
    server: EndpointServer,
) -> None:
    server.faults = [always(BUSY[1])]
    time = FastClock()
    with pytest.raises(ModelUnavailableError, match=r"503.*Remedy"):
        remote_model(server, time.clock, concurrency=1).score(weeks(ROWS))
    assert sum(time.slept) <= 300 + 60


@pytest.mark.parametrize(
    "instead",
    [
        google_error(500, "INTERNAL", "the container crashed"),
        google_error(400, "INVALID_ARGUMENT", "instance 3: weeks"),
        Answer(413, b"too large"),
        HTML,
    ],
    ids=["500", "400", "413", "HTML"],
)
def test_an_instance_that_the_endpoint_cannot_bear_is_dead_alone(
    server: EndpointServer, instead: Answer
) -> None:
    server.faults = [poisoned(POISON, instead)]
    predicted = remote_model(server, most_instances=64).score(weeks(ROWS))
    assert only_the_poison_fails(predicted)
    assert predicted.failed.codes == [ErrorCode.PREDICTION_FAILED]
    assert len(server.requests) < 60


def test_an_instance_that_hangs_the_endpoint_is_dead_alone(server: EndpointServer) -> None:
    server.faults = [hanging(POISON, 0.3)]
    model = remote_model(server, most_instances=16, timeout_seconds=0.15, max_attempts=2)
    predicted = model.score(weeks(ROWS))
    assert only_the_poison_fails(predicted)
    assert predicted.failed.codes == [ErrorCode.PREDICTION_TIMEOUT]


def test_an_instance_without_a_finite_prediction_is_dead_alone(server: EndpointServer) -> None:
    server.predict = lambda instances: [
        {"weight": float("nan") if instance["weeks"] == POISON else instance["weeks"] / 5}
        for instance in instances
    ]
    assert only_the_poison_fails(remote_model(server, most_instances=64).score(weeks(ROWS)))


def test_a_short_answer_is_never_joined(server: EndpointServer) -> None:
    server.faults = [changed(lambda predictions: predictions[:-1])]
    with pytest.raises(ModelUnavailableError, match=r"predictions for .* instances"):
        remote_model(server).score(weeks(ROWS))


def test_a_short_answer_now_and_then_is_asked_for_again(server: EndpointServer) -> None:
    chance = sometimes(0.2, [Answer(200, b'{"predictions": []}')])
    server.faults = [chance]
    assert all_scored(remote_model(server, most_instances=8).score(weeks(ROWS)))


def test_a_reordered_answer_is_an_error_and_blames_no_row(server: EndpointServer) -> None:
    server.faults = [changed(lambda predictions: predictions[::-1])]
    with pytest.raises(ModelUnavailableError, match="other keys than were sent"):
        remote_model(server).score(weeks(ROWS))


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (google_error(404, "NOT_FOUND", "no endpoint"), "deploy the model again"),
        (google_error(403, "PERMISSION_DENIED", "no"), "roles/aiplatform.user"),
        (
            google_error(400, "FAILED_PRECONDITION", "Endpoint doesn't have traffic_split."),
            "with all of its traffic",
        ),
        (Answer(302, b"", {"Location": "/login"}), "what answers"),
    ],
)
def test_what_waiting_does_not_mend_fails_at_once_with_its_remedy(
    server: EndpointServer, instead: Answer, said: str
) -> None:
    server.faults = [always(instead)]
    with pytest.raises(ModelUnavailableError, match=said):
        remote_model(server, concurrency=1).score(weeks(ROWS))
    assert len(server.requests) == 1


def test_a_poison_instance_that_comes_first_and_alone_is_dead(server: EndpointServer) -> None:
    server.faults = [poisoned(POISON, google_error(500, "INTERNAL", "the container crashed"))]
    predicted = remote_model(server).score(weeks([POISON]))
    assert predicted.failed.indices.tolist() == [0]
    assert predicted.outputs.num_rows == 0


def test_an_endpoint_that_always_fails_costs_a_few_requests_and_no_row(
    server: EndpointServer,
) -> None:
    server.faults = [always(google_error(500, "INTERNAL", "down"))]
    with pytest.raises(ModelUnavailableError, match="down"):
        remote_model(server).score(weeks(ROWS))
    assert len(server.requests) < 20


def test_an_endpoint_that_fails_from_now_on_is_noticed_by_a_row_known_to_be_good(
    server: EndpointServer,
) -> None:
    model = remote_model(server)
    model.score(weeks(ROWS))
    server.faults = [always(google_error(500, "INTERNAL", "down"))]
    with pytest.raises(ModelUnavailableError, match="down"):
        model.score(weeks([1.0]))


def test_a_night_fails_on_an_answer_of_another_deployed_model(server: EndpointServer) -> None:
    server.deployed = "4712"
    with pytest.raises(ModelUnavailableError, match=r"4712 answers.*pinned is 4711"):
        remote_model(server).score(weeks(ROWS))


def test_a_night_fails_on_another_artifact_behind_the_same_deployment(
    server: EndpointServer,
) -> None:
    server.model = {"version": "v1", "sha256": "6" * 64}
    with pytest.raises(ModelUnavailableError, match="pinned"):
        remote_model(server).score(weeks(ROWS))
    server.model["sha256"] = SHA256
    assert all_scored(remote_model(server).score(weeks(ROWS)))


def test_no_request_is_larger_than_the_limit(server: EndpointServer) -> None:
    predicted = remote_model(server, most_bytes=1024).score(weeks(ROWS))
    assert all_scored(predicted)
    assert 1_000 < server.largest_request <= 1_024


def test_a_row_too_large_for_any_request_is_dead_alone_and_never_sent(
    server: EndpointServer,
) -> None:
    inputs = (*MANIFEST.inputs, ModelColumn(name="note", type="string"))
    manifest = MANIFEST.model_copy(update={"inputs": inputs})
    notes = pa.array(["short", "x" * 2_000, "short"])
    features = pa.RecordBatch.from_arrays([pa.array([1.0, 2.0, 3.0]), notes], ["weeks", "note"])
    predicted = remote_model(server, manifest=manifest, most_bytes=1_024).score(features)
    assert predicted.failed.indices.tolist() == [1]
    assert "a request holds 1,024" in predicted.failed.messages[0]
    assert predicted.outputs.column("weight").to_pylist() == [0.2, 0.6]
    assert server.largest_request < 1_024


class Expiring(Credentials):
    """A token that is good once it was refreshed."""

    def __init__(self) -> None:
        super().__init__()
        self.token = "expired"
        self.refreshed = 0

    @property
    def expired(self) -> bool:
        return False

    def refresh(self, request: object) -> None:  # noqa: ARG002
        self.refreshed += 1
        self.token = "fresh"


def test_an_expired_token_is_refreshed_once(server: EndpointServer) -> None:
    server.token = "fresh"
    credentials = Expiring()
    model = remote_model(server, credentials=credentials, concurrency=1)
    assert all_scored(model.score(weeks(ROWS)))
    assert credentials.refreshed == 1


def test_a_token_that_stays_bad_is_a_failure_with_its_remedy(server: EndpointServer) -> None:
    server.token = "another"
    credentials = Expiring()
    with pytest.raises(ModelUnavailableError, match=r"401.*valid credentials"):
        remote_model(server, credentials=credentials, concurrency=1).score(weeks(ROWS))
    assert credentials.refreshed == 1
