"""The form of a manual trigger: what a person may choose for one run."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from airflow.sdk import Context

# An older, smaller schema language: Airflow checks each parameter's schema each time it builds a
# DAG, and checking one of the newest language takes three times as long.
_LANGUAGE = "http://json-schema.org/draft-07/schema#"

_NIGHT = "Which night"
_HOW = "How it is scored and published"
_CANCEL = "Cancel"


class Choices(BaseModel):
    """The form as filled in; a scheduled run has the defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    score_date: date | None = None
    source: str | None = None
    model_version: str | None = None
    force: bool = False
    dead_letter_limit: float | None = None
    dry_run: bool = False
    cancel: bool = False

    @classmethod
    def of(cls, context: Context) -> Choices:
        """The choices of the DAG run in whose task this is called."""
        given = {key: value for key, value in context["params"].items() if value != ""}
        return cls.model_validate(given)


def trigger_form() -> dict[str, Any]:
    """The parameters of a batch DAG, by name, in the order of the form."""
    return {
        "score_date": _field(
            None,
            type=["null", "string"],
            format="date",
            title="Score date",
            description="The night to score. Empty: the night of the run's data interval, or, "
            "without a logical date, the last night that is over.",
            section=_NIGHT,
        ),
        "source": _field(
            None,
            type=["null", "string"],
            pattern="^gs://[^/]+/.+",
            title="Source",
            description="Read this gs:// folder instead of the night's own. The spec's rule of "
            "completeness holds for it too.",
            section=_NIGHT,
        ),
        "model_version": _field(
            None,
            type=["null", "string"],
            pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$",
            title="Model version",
            description="A version or an alias of the service's models. Empty: as the spec says.",
            section=_HOW,
        ),
        "force": _field(
            False,
            type="boolean",
            title="Force",
            description="Score and publish again, even if this very work is done already.",
            section=_HOW,
        ),
        "dead_letter_limit": _field(
            None,
            type=["null", "number"],
            minimum=0,
            maximum=1,
            title="Dead-letter limit",
            description="Largest share of dead rows (0 to 1) with which the night is published. "
            "Empty: as the spec says.",
            section=_HOW,
        ),
        "dry_run": _field(
            False,
            type="boolean",
            title="Dry run",
            description="Score and audit; publish nothing.",
            section=_HOW,
        ),
        "cancel": _field(
            False,
            type="boolean",
            title="Cancel the night's job",
            description="Score nothing: cancel the Dataflow job that is active for this night. "
            "Refused while more than one DAG run waits for it.",
            section=_CANCEL,
        ),
    }


def _field(default: Any, *, description: str, **schema: Any) -> Param:
    return Param(default, description=description, schema={"$schema": _LANGUAGE, **schema})
