"""A running job takes the model that it is pointed to, unless that one is bad."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from beam_jobs.objects import open_objects
from beam_jobs.prediction.live.handler import LiveModelHandler
from beam_jobs.prediction.live.pointer import ModelPointer
from beam_jobs.prediction.live.served import Served, open_served
from beam_jobs.prediction.live.serving import Serving
from beam_jobs.prediction.models import Model
from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.streaming import ServedModel, StreamingPlan
from beam_jobs.transforms.predict import settle_requests
from tests.support.dataflow_cloud import eventually
from tests.support.live_requests import a_live_plan, point_to, valid_batch
from tests.support.models import Moody, release
from tests.support.score_live import score_in_worker

POLL_S = 0.01
Serve = Callable[..., Serving]


@pytest.fixture
def plan(tmp_path: Path) -> StreamingPlan:
    """Of version v1, weight = weeks / 5, whose job refreshes its model."""
    return a_live_plan(tmp_path, lifecycle={"upgrade": {"model": "refresh"}})


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Begins to serve what a plan says, and to look for another model all the time."""
    begun: list[Serving] = []

    def begin(plan: StreamingPlan, load: Callable[[ServedModel], Served] | None = None) -> Serving:
        serving = Serving(ModelPointer(plan), load or partial(open_served, plan), POLL_S)
        serving.start()
        serving.keep_up()
        begun.append(serving)
        return serving

    yield begin
    for serving in begun:
        serving.close()


def write_pointer(plan: StreamingPlan, content: bytes) -> None:
    open_objects(plan.root).put(plan.model_uri, content)


def await_version(serving: Serving, version: str) -> None:
    eventually(lambda: serving.now.by.model_version == version)


def await_error(caplog: pytest.LogCaptureFixture, text: str) -> None:
    eventually(lambda: text in caplog.text)
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_a_running_process_takes_the_model_that_it_is_pointed_to(
    plan: StreamingPlan, serve: Serve
) -> None:
    serving = serve(plan)
    assert serving.now.by == ("v1", plan.revision)

    wanted = point_to(plan, "v2", per=2)
    await_version(serving, "v2")

    assert serving.now.by == ("v2", wanted.revision)
    assert serving.refreshes == 1
    weights = serving.now.model.predict(valid_batch([30.0]).features)
    assert weights.column("weight").to_pylist() == [15.0]


def test_it_may_be_pointed_back_or_to_nothing(plan: StreamingPlan, serve: Serve) -> None:
    serving = serve(plan)
    point_to(plan, "v2", per=2)
    await_version(serving, "v2")
    own = ServedModel(revision=plan.revision, model=plan.model)
    write_pointer(plan, own.model_dump_json().encode())
    await_version(serving, "v1")
    point_to(plan, "v3", per=3)
    await_version(serving, "v3")
    open_objects(plan.root).delete(plan.model_uri)
    await_version(serving, "v1")
    assert serving.refreshes == 4


def test_a_model_that_is_no_longer_served_is_freed(plan: StreamingPlan, serve: Serve) -> None:
    serving = serve(plan)
    old, suspects = weakref.ref(serving.now.model), weakref.ref(serving.now.suspects)
    point_to(plan, "v2", per=2)
    await_version(serving, "v2")

    def freed() -> bool:
        gc.collect()
        return old() is None and suspects() is None

    eventually(freed)


def test_a_process_that_starts_later_begins_with_the_model_pointed_to(plan: StreamingPlan) -> None:
    wanted = point_to(plan, "v2", per=2)
    handler: LiveModelHandler = LiveModelHandler(plan, settle_requests)
    (scored,) = handler.run_inference([valid_batch([30.0])], handler.load_model())
    assert scored.outputs.column("weight").to_pylist() == [15.0]
    assert scored.scored_by == ("v2", wanted.revision)


def test_a_job_that_is_not_to_refresh_looks_at_no_pointer(tmp_path: Path) -> None:
    plan = a_live_plan(tmp_path)
    point_to(plan, "v2", per=2)
    handler: LiveModelHandler = LiveModelHandler(plan, settle_requests)
    (scored,) = handler.run_inference([valid_batch([30.0])], handler.load_model())
    assert scored.scored_by == ("v1", plan.revision)


def forged(plan: StreamingPlan) -> bytes:
    """Of a version whose artifact was exchanged after its release."""
    wanted = point_to(plan, "v2", per=2)
    open_objects(plan.root).put(f"{wanted.model.uri}/model.joblib", b"something else")
    return wanted.model_dump_json().encode()


def unfit(plan: StreamingPlan) -> bytes:
    """Of a version that takes other columns."""
    models = plan.model.uri.rpartition("/")[0]
    manifest = release(models, "v2", open_objects(models), feature="months", model=Moody())
    pin = plan.model.model_copy(
        update={"uri": f"{models}/v2", "version": "v2", "sha256": manifest.sha256}
    )
    return ServedModel(revision="2" * 40, model=pin).model_dump_json().encode()


def gone(plan: StreamingPlan) -> bytes:
    """Of a version that was deleted."""
    wanted = point_to(plan, "v2", per=2)
    open_objects(plan.root).delete(f"{wanted.model.uri}/model.json")
    return wanted.model_dump_json().encode()


BAD_POINTERS = [
    (forged, "it is not the model that was released"),
    (unfit, "does not fit service weights"),
    (gone, "does not exist. Remedy: upload the version's folder"),
    (lambda _: b'{"revision": 1}', "points to no model"),
    (lambda _: b"\xff no JSON", "points to no model"),
]
bad_pointers = pytest.mark.parametrize(
    ("bad", "why"), BAD_POINTERS, ids=["forged", "unfit", "gone", "incomplete", "no JSON"]
)


@bad_pointers
def test_a_model_that_cannot_be_loaded_is_an_error_and_the_old_one_serves_on(
    plan: StreamingPlan,
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
    bad: Callable[[StreamingPlan], bytes],
    why: str,
) -> None:
    content = bad(plan)
    open_objects(plan.root).delete(plan.model_uri)
    serving = serve(plan)
    write_pointer(plan, content)
    await_error(caplog, why)
    assert serving.now.by.model_version == "v1"
    assert serving.refreshes == 0
    point_to(plan, "v9", per=9)
    await_version(serving, "v9")
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


@bad_pointers
def test_a_process_that_starts_with_a_bad_pointer_serves_the_plans_own_model(
    plan: StreamingPlan,
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
    bad: Callable[[StreamingPlan], bytes],
    why: str,
) -> None:
    write_pointer(plan, bad(plan))
    serving = serve(plan)
    assert serving.now.by == ("v1", plan.revision)
    await_error(caplog, why)


def test_a_process_without_any_model_that_can_be_loaded_does_not_start(
    plan: StreamingPlan, serve: Serve
) -> None:
    open_objects(plan.root).delete(f"{plan.model.uri}/model.json")
    with pytest.raises(ModelError, match=r"v1/model\.json does not exist"):
        serve(plan)


class Troubled(ModelPointer):
    """Cannot be read at times."""

    fails = False

    def generation(self) -> int:
        if self.fails:
            raise ConnectionError("no route to the bucket")
        return super().generation()


def test_a_pointer_that_cannot_be_read_is_an_error_once_and_read_again(
    plan: StreamingPlan, caplog: pytest.LogCaptureFixture
) -> None:
    pointer = Troubled(plan)
    serving = Serving(pointer, partial(open_served, plan), POLL_S)
    serving.start()
    pointer.fails = True
    serving.keep_up()
    await_error(caplog, "no route to the bucket")
    point_to(plan, "v2", per=2)
    pointer.fails = False
    await_version(serving, "v2")
    serving.close()
    assert caplog.text.count("no route to the bucket") == 1


def test_nobody_waits_while_a_model_is_loaded(plan: StreamingPlan, serve: Serve) -> None:
    loading, loaded = threading.Event(), threading.Event()

    def load(wanted: ServedModel) -> Served:
        if wanted.model.version == "v2":
            loading.set()
            loaded.wait(20)
        return open_served(plan, wanted)

    serving = serve(plan, load)
    point_to(plan, "v2", per=2)
    assert loading.wait(20)
    weights = serving.now.model.predict(valid_batch([30.0]).features)
    assert weights.column("weight").to_pylist() == [6.0]
    loaded.set()
    await_version(serving, "v2")


def test_a_call_that_hangs_is_held_against_the_requests_of_the_model_that_hung(
    tmp_path: Path,
) -> None:
    plan = a_live_plan(
        tmp_path,
        lifecycle={"upgrade": {"model": "refresh"}},
        model_timeout_seconds=0.3,
        max_attempts=1,
    )
    wanted = point_to(plan, "v2", per=2)
    assert score_in_worker(plan, [99], tmp_path).exit_code != 0
    assert open_objects(plan.root).list(f"{plan.root}/suspects/{wanted.revision}/")

    given_up = score_in_worker(plan, [99], tmp_path).scored
    assert given_up is not None
    assert given_up["dead"][0]["error_code"] == "prediction_timeout"
    assert given_up["scored_by"] == ["v2", wanted.revision]

    # Another model has done nothing to be suspicious of.
    point_to(plan, "v3", per=3)
    assert score_in_worker(plan, [99], tmp_path).scored is None


def test_a_closed_one_stops_looking(plan: StreamingPlan) -> None:
    serving = Serving(ModelPointer(plan), partial(open_served, plan), POLL_S)
    serving.start()
    before = set(threading.enumerate())
    serving.keep_up()
    (thread,) = set(threading.enumerate()) - before
    serving.close()
    thread.join(20)
    assert not thread.is_alive()
    assert isinstance(serving.now.model, Model)
