"""What a person may choose for a measurement by labels."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from nightstream.forms.fields import FilledIn, day_field

_WHICH = "Which nights"


class QualityChoices(FilledIn):
    """The form of a quality DAG as filled in."""

    from_date: date | None = None
    to_date: date | None = None

    def nights(self, today: date, days: int) -> tuple[date, date]:
        """First and last score date that are measured, both inclusive."""
        last = self.to_date or today - timedelta(days=1)
        return self.from_date or last - timedelta(days=days - 1), last


def quality_form(days: int) -> dict[str, Any]:
    """The parameters of a quality DAG. days: how many nights it measures unless told."""
    return {
        "from_date": day_field("First night", f"Empty: {days} nights, up to the last.", _WHICH),
        "to_date": day_field("Last night", "Empty: the day before the run.", _WHICH),
    }
