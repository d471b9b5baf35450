"""What can be changed while a job runs (RuntimeUpdatableParams): a pure decision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.cloud.http import ApiError, unsupported

_ROOT = "runtimeUpdatableParams"
_MOST_WORKERS = 1_000
_KNOWN = ("minNumWorkers", "maxNumWorkers", "workerUtilizationHint")
_MISSING = ("acceptableBacklogDuration", "autoscalingTier", "latencyTier", "schedules")


def tuned(
    current: Mapping[str, Any], mask: str, given: Mapping[str, Any], submitted_max: int | None
) -> dict[str, Any]:
    """The parameters after an update of the fields in `mask`; one that is not given is unset.

    `submitted_max` bounds the workers until a client sets another bound. Raises ApiError.
    """
    changed = dict(current)
    for path in mask.split(","):
        field = _field(path.strip())
        changed.pop(field, None)
        if given.get(field) is not None:
            changed[field] = _checked(field, given[field])
    least, most = changed.get("minNumWorkers"), changed.get("maxNumWorkers", submitted_max)
    if least and most and least > most:
        raise _invalid(f"min_num_workers ({least}) is more than max_num_workers ({most})")
    return changed


def _field(path: str) -> str:
    """The parameter that a path of the mask names, in camel or snake case."""
    words = re.sub(r"_([a-z])", lambda found: found[1].upper(), path)
    root, _, field = words.partition(".")
    if root == _ROOT and field in _MISSING:
        raise unsupported(f"the in-flight update of {path}")
    if root != _ROOT or field not in _KNOWN:
        raise _invalid(f"the field {path!r} cannot be updated in flight (updateMask)")
    return field


def _checked(field: str, value: Any) -> int | float:
    if field == "workerUtilizationHint":
        if not isinstance(value, int | float) or not 0.1 <= value <= 0.9:
            raise _invalid(f"worker_utilization_hint must be from 0.1 to 0.9, not {value!r}")
        return value
    if not isinstance(value, int) or not 1 <= value <= _MOST_WORKERS:
        raise _invalid(f"{field} must be from 1 to {_MOST_WORKERS}, not {value!r}")
    return value


def _invalid(reason: str) -> ApiError:
    return ApiError(400, f"Workflow modification failed. Causes: {reason}.")
