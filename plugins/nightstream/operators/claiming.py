"""Whether a claim on a night's job still means something."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowRuntimeError

if TYPE_CHECKING:
    from nightstream.scoring.claims import Claim


def waits(claim: Claim, state_of: Callable[[str, str], str]) -> bool:
    """Whether the claim's DAG run is still going on; one that was deleted is not."""
    try:
        return state_of(claim.dag_id, claim.run_id) in ("running", "queued")
    except AirflowRuntimeError as error:
        if (error.error.detail or {}).get("status_code") == HTTPStatus.NOT_FOUND:
            return False
        raise
