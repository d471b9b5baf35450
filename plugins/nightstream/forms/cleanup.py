"""What a person may choose for a clean-up."""

from __future__ import annotations

from typing import Any

from nightstream.forms.fields import FilledIn, field


class CleanupChoices(FilledIn):
    """The form of the clean-up's DAG as filled in."""

    dry_run: bool = False


def cleanup_form() -> dict[str, Any]:
    """The parameters of the clean-up's DAG, by name."""
    return {
        "dry_run": field(
            False,
            type="boolean",
            title="Dry run",
            description="Say what would be removed and cancelled, and do neither.",
            section="How",
        ),
    }
