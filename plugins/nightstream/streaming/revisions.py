"""Revisions as they are kept in the work bucket: the plan and the code, enough to launch one again
when other code is deployed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from beam_jobs.objects import ObjectExistsError
from beam_jobs.runs.code import code_sources, code_version
from beam_jobs.runs.streaming import PlannedCode, StreamingPlan, build_streaming_plan, plan_uri
from beam_jobs.runs.wheel import build_wheel
from nightstream.models import pin_model
from nightstream.streaming.launch import pinned_options

if TYPE_CHECKING:
    from beam_jobs.objects import Objects
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec

log = logging.getLogger(__name__)


class GoneError(Exception):
    """A revision's plan or code is not kept, and nothing here could take its place."""


@dataclass(frozen=True)
class KeptRevision:
    """What is kept of one revision."""

    uri: str
    """Of its plan."""
    code: PlannedCode
    """What every release understands of the plan."""
    plan: StreamingPlan | None
    """None where another release wrote it, that this one does not understand."""


def declared_plan(
    spec: ServiceSpec, environment: EnvironmentSpec, objects: Objects
) -> StreamingPlan:
    """The plan of what is declared by now, with the code that runs here. Raises ModelError."""
    assert spec.streaming is not None
    model = pin_model(spec, environment, spec.model.version, objects, night=False)
    options = pinned_options(spec.streaming, environment)
    return build_streaming_plan(spec, environment, model, options)


def keep(plan: StreamingPlan, objects: Objects) -> None:
    """Keeps a plan of the code that runs here, and that code before it. Once there, neither ever
    changes."""
    keep_code(plan.code_uri, objects)
    _create(plan.uri, plan.model_dump_json(indent=1).encode(), objects)


def keep_code(uri: str, objects: Objects) -> None:
    """Keeps the code that runs here, at the place of its version."""
    if objects.stat(uri) is None:
        _create(uri, build_wheel(code_sources()), objects)


def kept_revision(root: str, revision: str, objects: Objects) -> KeptRevision | None:
    """What is kept of a revision below a service's streaming folder; None where nothing is."""
    uri = plan_uri(root, revision)
    try:
        data = objects.read(uri)
    except FileNotFoundError:
        return None
    try:
        plan = StreamingPlan.model_validate_json(data)
    except ValidationError as error:
        log.warning("%s is of another release: %s", uri, error)
        plan = None
    return KeptRevision(uri, PlannedCode.model_validate_json(data), plan)


def kept_code(kept: KeptRevision, objects: Objects) -> bytes:
    """The wheel with the revision's code. Raises GoneError."""
    uri = kept.code.code_uri
    if kept.code.code_version == code_version():
        keep_code(uri, objects)
    try:
        return objects.read(uri)
    except FileNotFoundError as error:
        raise GoneError(
            f"the code of {kept.uri}, version {kept.code.code_version}, is not in {uri} any more. "
            "Remedy: deploy the release of that version, or bring the object back"
        ) from error


def _create(uri: str, data: bytes, objects: Objects) -> None:
    try:
        objects.create(uri, data)
    except ObjectExistsError:
        log.info("%s is kept already", uri)
