"""What a person may choose for a reconciliation."""

from __future__ import annotations

from datetime import date
from typing import Any

from nightstream.forms.fields import FilledIn, day_field

_WHICH = "Which days"


class ReconcileChoices(FilledIn):
    """The form of the reconciling DAG as filled in."""

    from_date: date | None = None
    to_date: date | None = None


def reconcile_form(days: int) -> dict[str, Any]:
    """The parameters of the reconciling DAG. days: how many it looks back unless told."""
    return {
        "from_date": day_field("First day", f"Empty: {days} days before the last.", _WHICH),
        "to_date": day_field("Last day", "Empty: the day before the run.", _WHICH),
    }
