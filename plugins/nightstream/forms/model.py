"""What a person may ask of a service's champion."""

from __future__ import annotations

from typing import Any

from beam_jobs.runs.release import Action
from nightstream.forms.fields import FilledIn, field, model_version_field

_WHAT = "What is asked for"


class ReleaseChoices(FilledIn):
    """The form of a model DAG as filled in."""

    action: Action = Action.RELEASE
    model_version: str | None = None


def release_form() -> dict[str, Any]:
    """The parameters of a model DAG, by name, in the order of the form."""
    return {
        "action": field(
            str(Action.RELEASE),
            type="string",
            enum=[str(action) for action in Action],
            title="Action",
            description="release: make a version the champion, if it proves good enough. "
            "roll_back: make the champion before this one the champion again, at once and "
            "unproven.",
            section=_WHAT,
        ),
        "model_version": model_version_field(
            _WHAT,
            "A version folder. Empty: release takes the newest one, roll_back the champion before "
            "this one.",
        ),
    }
