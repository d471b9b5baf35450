"""The plan of a job: read from where it was resolved, or resolved here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from beam_jobs.batch.arguments import NewNight
from beam_jobs.objects import ObjectInfo, open_objects
from beam_jobs.prediction.versions import ModelError, open_version
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.plan import InputObject, ModelPin, RunPlan, build_plan
from beam_jobs.spec.loading import load_service


def read_or_make_plan(night: str | NewNight) -> RunPlan:
    """The plan at that URI, or the one made, and written, of a new night.

    Raises FileNotFoundError, SpecError or ModelError.
    """
    if isinstance(night, NewNight):
        return _resolve(night)
    return RunPlan.model_validate_json(open_objects(night).read(night))


def _resolve(night: NewNight) -> RunPlan:
    spec = load_service(night.spec)
    if spec.model.endpoint is not None:
        raise ModelError(
            f"{night.spec}: the model is deployed on an endpoint, which only the service's DAG can "
            "pin. Remedy: --plan with the plan that its task resolve wrote, or another spec with "
            "model.kind: in_worker"
        )
    folder, root = _absolute(night.model), _absolute(night.output)
    manifest = open_version(folder, open_objects(folder))
    model = ModelPin(
        uri=folder, version=manifest.version, kind=manifest.kind, sha256=manifest.sha256
    )
    found = {item.uri: item for uri in night.input for item in _objects(uri)}
    inputs = [
        InputObject(uri=item.uri, generation=item.generation, size=item.size)
        for item in found.values()
    ]
    plan = build_plan(spec, night.score_date, None, inputs, model, root)
    uri = RunLayout(root, plan.run_key).plan
    open_objects(uri).put(uri, plan.model_dump_json(indent=2).encode())
    return plan


def _objects(uri: str) -> Iterator[ObjectInfo]:
    """The file of that name, or all files of the folder that are no markers."""
    place = _absolute(uri)
    objects = open_objects(place)
    if found := objects.stat(place):
        yield found
        return
    files = objects.list(f"{place}/")
    if not files:
        raise FileNotFoundError(f"--input {uri}: there is no such file, and no files in it")
    yield from (item for item in files if not item.uri.rpartition("/")[2].startswith(("_", ".")))


def _absolute(uri: str) -> str:
    """Workers may run in another folder."""
    return uri.rstrip("/") if "://" in uri else str(Path(uri).resolve())
