"""What a service declares of its releases, and plans of them."""

from __future__ import annotations

from typing import Any

from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.release import Action, ReleasePlan
from beam_jobs.spec import ServiceSpec
from tests.support.specs import a_service

HELD_OUT = "id,weeks,truth\na,40,8\nb,30,6\nc,20,4\nd,,5\ne,25,\n"
"""Five rows: one breaks the contract, one has no label. The truth is weeks / 5."""
RELEASE: dict[str, Any] = {
    "held_out": {"path": "weights/held_out.csv", "label": "truth"},
    "metric": "rmse",
    "grace_minutes": 0,
    "traffic_percent": 50,
}


def released_service(
    model: dict[str, Any] | None = None, name: str = "weights", **release: Any
) -> ServiceSpec:
    """A service that declares how its versions are released."""
    return a_service(name, model={"release": RELEASE | release, **(model or {})})


def a_plan(candidate: str, champion: str | None, action: Action = Action.RELEASE) -> ReleasePlan:
    """From one champion to the next; nothing is evaluated."""
    return ReleasePlan(
        action=action,
        spec=released_service(),
        candidate=_pin(candidate),
        champion=_pin(champion) if champion else None,
        held_out=None,
        code_version="0" * 12,
        root="gs://scoring-work/weights/releases",
    )


def _pin(version: str) -> ModelPin:
    uri = f"gs://models/weights/{version}"
    return ModelPin(uri=uri, version=version, kind="sklearn", sha256="5" * 64)
