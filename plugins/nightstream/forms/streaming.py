"""What a person may ask of a streaming job."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from nightstream.forms.fields import FilledIn, field, model_version_field

_ACTION = "What is to be done"
_START = "What is started"


class Action(StrEnum):
    START = "start"
    DRAIN = "drain"
    CANCEL = "cancel"


class StreamingChoices(FilledIn):
    """The form of a streaming DAG as filled in."""

    action: Action = Action.START
    model_version: str | None = None


def streaming_form() -> dict[str, Any]:
    """The parameters of a streaming DAG, by name, in the order of the form."""
    return {
        "action": field(
            str(Action.START),
            type="string",
            enum=[str(action) for action in Action],
            title="Action",
            description="start: launch the job, unless it runs already. drain: stop reading, "
            "finish what was read. cancel: stop at once; what was not finished is read again by "
            "the next job.",
            section=_ACTION,
        ),
        "model_version": model_version_field(_START),
    }
