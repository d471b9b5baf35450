"""Candidate and champion on the same held-out rows."""

from __future__ import annotations

import numpy as np

from beam_jobs.evaluation.errors import EvaluationError
from beam_jobs.evaluation.held_out import read_held_out
from beam_jobs.evaluation.metrics import measure
from beam_jobs.evaluation.versions import open_pinned, predictions
from beam_jobs.objects import open_objects
from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.release import Evaluation, Figures, ReleasePlan


def evaluate(plan: ReleasePlan, models_root: str) -> Evaluation:
    """The figures of both. They are compared by the rows that both gave a number for.

    Raises ModelError, InputFileError, ObjectChangedError, EvaluationError.
    """
    assert plan.held_out is not None, "a roll-back is not evaluated"
    spec, release = plan.spec, plan.release
    objects = open_objects(plan.held_out.uri)
    held_out = read_held_out(spec, release.held_out, plan.held_out, objects)
    pins = [pin for pin in (plan.candidate, plan.champion) if pin is not None]
    scored = [
        predictions(
            open_pinned(pin, models_root),
            held_out.rows,
            spec.model.compared_output,
            spec.model.batch_rows,
        )
        for pin in pins
    ]
    usable = np.logical_and.reduce([np.isfinite(held_out.labels), *map(np.isfinite, scored)])
    if not usable.any():
        raise EvaluationError(
            f"there is no row of {plan.held_out.uri} that "
            f"{' and '.join(pin.version for pin in pins)} give a number for. Remedy: see why they "
            "fail: python -m beam_jobs.prediction.server predict"
        )

    def figures(pin: ModelPin, values: np.ndarray) -> Figures:
        value = measure(release.metric, held_out.labels[usable], values[usable])
        failed = int(np.count_nonzero(~np.isfinite(values)))
        return Figures(version=pin.version, value=value, failed=failed)

    candidate, *champion = map(figures, pins, scored)
    return Evaluation(
        key=plan.key,
        metric=release.metric,
        rows=held_out.rows.num_rows,
        left_out=held_out.left_out,
        compared=int(usable.sum()),
        candidate=candidate,
        champion=champion[0] if champion else None,
    )
