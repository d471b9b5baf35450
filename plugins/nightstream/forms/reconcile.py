"""What a person may choose for a reconciliation."""

from __future__ import annotations

from datetime import date
from typing import Any

from nightstream.forms.fields import FilledIn, field

_WHICH = "Which days"


class ReconcileChoices(FilledIn):
    """The form of the reconciling DAG as filled in."""

    from_date: date | None = None
    to_date: date | None = None


def reconcile_form(days: int) -> dict[str, Any]:
    """The parameters of the reconciling DAG. days: how many it looks back unless told."""
    return {
        "from_date": _day("First day", f"Empty: {days} days before the last."),
        "to_date": _day("Last day", "Empty: the day before the run."),
    }


def _day(title: str, description: str) -> Any:
    return field(
        None,
        type=["null", "string"],
        format="date",
        title=title,
        description=description,
        section=_WHICH,
    )
