"""What a person may choose for one night."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from pydantic import model_validator

from nightstream.forms.fields import FilledIn, field, model_version_field

_NIGHT = "Which night"
_HOW = "How it is scored and published"
_CANCEL = "Cancel"


class NightChoices(FilledIn):
    """The form of a batch DAG as filled in."""

    score_date: date | None = None
    source: str | None = None
    model_version: str | None = None
    force: bool = False
    dead_letter_limit: float | None = None
    allow_drift: bool = False
    allow_drift_reason: str | None = None
    dry_run: bool = False
    cancel: bool = False

    @model_validator(mode="after")
    def _a_reason_for_drift(self) -> Self:
        if self.allow_drift and not (self.allow_drift_reason or "").strip():
            raise ValueError(
                "allow_drift is set, but allow_drift_reason is empty. Remedy: trigger the night "
                "again with a reason; it is kept in scoring_runs"
            )
        return self

    @property
    def drift_allowed(self) -> str | None:
        """Why a night that drifts too far is published; None where it is not to be."""
        return (self.allow_drift_reason or "").strip() if self.allow_drift else None


def night_form() -> dict[str, Any]:
    """The parameters of a batch DAG, by name, in the order of the form."""
    return {
        "score_date": field(
            None,
            type=["null", "string"],
            format="date",
            title="Score date",
            description="The night to score. Empty: the night of the run's data interval, or, "
            "without a logical date, the last night that is over.",
            section=_NIGHT,
        ),
        "source": field(
            None,
            type=["null", "string"],
            pattern="^gs://[^/]+/.+",
            title="Source",
            description="Read this gs:// folder instead of the night's own. The spec's rule of "
            "completeness holds for it too.",
            section=_NIGHT,
        ),
        "model_version": model_version_field(_HOW),
        "force": field(
            False,
            type="boolean",
            title="Force",
            description="Score and publish again, even if this very work is done already.",
            section=_HOW,
        ),
        "dead_letter_limit": field(
            None,
            type=["null", "number"],
            minimum=0,
            maximum=1,
            title="Dead-letter limit",
            description="Largest share of dead rows (0 to 1) with which the night is published. "
            "Empty: as the spec says.",
            section=_HOW,
        ),
        "allow_drift": field(
            False,
            type="boolean",
            title="Allow drift",
            description="Publish the night even if it is further from the training data, or from "
            "the nights before, than the spec allows. Needs a reason.",
            section=_HOW,
        ),
        "allow_drift_reason": field(
            None,
            type=["null", "string"],
            maxLength=1000,
            title="Why drift is allowed",
            description="Kept with the night in scoring_runs.",
            section=_HOW,
        ),
        "dry_run": field(
            False,
            type="boolean",
            title="Dry run",
            description="Score and audit; publish nothing.",
            section=_HOW,
        ),
        "cancel": field(
            False,
            type="boolean",
            title="Cancel the night's job",
            description="Score nothing: cancel the Dataflow job that is active for this night. "
            "Refused while more than one DAG run waits for it.",
            section=_CANCEL,
        ),
    }
