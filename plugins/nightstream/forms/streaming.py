"""What a person may ask of a streaming job."""

from __future__ import annotations

from typing import Any

from nightstream.forms.fields import FilledIn, field
from nightstream.lifecycle.requests import Kind, Request, RequestError

_WHAT = "What is asked for"

_ACTIONS = {
    Kind.RECONCILE: "look, and do what is due, as every scheduled round does",
    Kind.SUSPEND: "drain the job and start none until `resume`; requests wait on the subscription",
    Kind.RESUME: "lift suspend, cancel, pin or roll_back: what is declared runs again",
    Kind.REDEPLOY: "drain the job and launch what is declared anew; failures so far are forgotten, "
    "and a rejected revision is tried once more",
    Kind.ROLL_BACK: "run an earlier revision until something else is declared",
    Kind.PIN: "keep to a revision until `resume`, whatever is declared",
    Kind.CANCEL: "stop the job at once and start none until `resume`; what it had not finished is "
    "read again by the next job",
}
_OF_A_REVISION = (Kind.ROLL_BACK, Kind.PIN)


class StreamingChoices(FilledIn):
    """The form of a streaming DAG as filled in."""

    action: Kind = Kind.RECONCILE
    revision: str | None = None

    def request(self, by: str | None) -> Request:
        """What is asked for, and by whom. Raises RequestError."""
        if self.revision is not None and self.action not in _OF_A_REVISION:
            raise RequestError(
                f"{self.action} is of no certain revision. Remedy: leave the revision empty, or "
                f"choose {' or '.join(_OF_A_REVISION)}"
            )
        return Request(kind=self.action, by=by or "somebody", revision=self.revision)


def streaming_form() -> dict[str, Any]:
    """The parameters of a streaming DAG, by name, in the order of the form."""
    return {
        "action": field(
            str(Kind.RECONCILE),
            type="string",
            enum=[str(action) for action in _ACTIONS],
            title="Action",
            description="All but `reconcile` hold for the rounds to come, too. "
            + " ".join(f"{action}: {what}." for action, what in _ACTIONS.items()),
            section=_WHAT,
        ),
        "revision": field(
            None,
            type=["null", "string"],
            pattern="^[0-9a-f]{4,40}$",
            title="Revision",
            description="Of roll_back and pin: the revision, or its first digits (four at least), "
            "as the ledger has it. Empty: roll_back goes to the one before that was stable last, "
            "pin keeps the one that runs.",
            section=_WHAT,
        ),
    }


def action_rows() -> str:
    """The actions as rows of a Markdown table."""
    return "\n".join(f"| `{action}` | {what} |" for action, what in _ACTIONS.items())
