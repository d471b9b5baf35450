"""How long nobody is answered while the streaming job is changed by the lifecycle's operators."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from beam_jobs.prediction.versions import publish_version, set_alias
from beam_jobs.send.listening import listening
from beam_jobs.spec import ServiceSpec
from examples.tour.answers import Answers
from tests.bench.live.rounds import reconcile
from tests.bench.live.service import BenchService, babyweight, bench_service
from tests.bench.result import Result
from tests.bench.workshop import Workshop

RATE = 200
"""Requests a second."""
_FULL_S, _QUICK_S = 90, 60
_WARM_UP = 2_000
_PATIENCE_S = 60

Change = Callable[[BenchService], ServiceSpec]
"""Declares something else; the spec from now on."""


def measure_update(workshop: Workshop) -> Result:
    """The longest time between two answers while another job takes the running one's place, since
    the alias of the model was moved."""
    return _gap(workshop, "an in-place update", 6, _another_model)


def measure_replacement(workshop: Workshop) -> Result:
    """The same while the running job is drained and another one launched, as the spec says that
    this model is not to be changed in place."""
    return _gap(workshop, "a replacement", 15, _another_generation)


def _another_model(service: BenchService) -> ServiceSpec:
    manifest, artifact = service.model
    publish_version(
        service.models, manifest.model_copy(update={"version": "v2"}), artifact, service.objects
    )
    set_alias(service.models, "champion", "v2", service.objects)
    return service.spec


def _another_generation(service: BenchService) -> ServiceSpec:
    declared = _another_model(service).model_dump(mode="json")
    declared["streaming"]["lifecycle"]["upgrade"]["generation"] = 2
    return ServiceSpec.model_validate(declared)


def _gap(workshop: Workshop, what: str, target: float, change: Change) -> Result:
    count = RATE * (_QUICK_S if workshop.quick else _FULL_S)
    answers = Answers()
    with (
        TemporaryDirectory() as folder,
        bench_service(workshop, babyweight(answers=True), Path(folder)) as service,
    ):
        service.job_id = reconcile(service.spec, service.environment).job_id
        with service.publishing("warm-", _WARM_UP, RATE):
            pass
        with listening(service.answers.topic, answers.answered) as listener:
            with service.publishing("gap-", count, RATE) as began:
                # By the monotonic clock, each when it was due.
                due = time.monotonic() - (time.time() - began)
                for number in range(count):
                    answers.asked([f"gap-{number}"], due + number / RATE)
                time.sleep(5)
                changed_at = time.monotonic()
                reconciled = reconcile(change(service), service.environment)
                if reconciled.job_id == service.job_id:
                    raise RuntimeError("the job was not changed at all")
                service.job_id = reconciled.job_id
                if time.monotonic() > due + count / RATE:
                    raise RuntimeError("the change took longer than requests were flowing")
            _await_answers(answers, service)
            if listener.failure:
                raise RuntimeError(listener.failure)
        service.check_each_once("gap-", count)
        scored = service.slowest_scored("gap-")
    return Result(
        name=f"gap in service of {what} at {RATE} requests/s",
        value=answers.gap(changed_at),
        unit="s",
        target=target,
        details={
            "slowest_published_to_scored_s": scored,
            "slowest_published_to_answered_s": answers.waits(changed_at)[-1],
            "rounds": reconciled.rounds,
            "rounds_took_s": reconciled.seconds,
            "idle_round_s": reconciled.idle_seconds,
            "beam_imported": reconciled.beam_imported,
            "requests": count,
        },
    )


def _await_answers(answers: Answers, service: BenchService) -> None:
    """Returns when every request is answered."""
    deadline = time.monotonic() + _PATIENCE_S
    while waiting := answers.counts.waiting:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{waiting} requests were never answered:\n{service.log}")
        time.sleep(0.2)
