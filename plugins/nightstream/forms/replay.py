"""What a person may choose for a replay of dead letters."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from beam_jobs.runs.dead_letter import ErrorCode
from nightstream.forms.fields import FilledIn, day_field, field, model_version_field
from nightstream.replaying.choice import ChoiceError, LetterChoice

_WHICH = "Which dead letters"
_HOW = "How they are tried again"


class ReplayChoices(FilledIn):
    """The form of a replay DAG as filled in."""

    source: Literal["batch", "streaming"] = "batch"
    from_date: date | None = None
    to_date: date | None = None
    error_codes: tuple[ErrorCode, ...] = ()
    condition: str | None = None
    model_version: str | None = None
    force: bool = False
    dry_run: bool = False

    @property
    def letters(self) -> LetterChoice:
        """Raises ChoiceError."""
        if self.from_date is None:
            raise ChoiceError(
                "no first day is given. Remedy: fill in from_date; without to_date it is the "
                "only day"
            )
        codes = tuple(sorted(str(code) for code in self.error_codes))
        last = self.to_date or self.from_date
        return LetterChoice(self.from_date, last, codes, self.condition)


def replay_form(streaming: bool) -> dict[str, Any]:
    """The parameters of a replay DAG, by name, in the order of the form.

    streaming: whether the service has a streaming job.
    """
    sources = ["batch", "streaming"] if streaming else ["batch"]
    return {
        "source": field(
            "batch",
            type="string",
            enum=sources,
            title="Source",
            description="batch: dead letters of nights; each night is published anew, what it "
            "scored before included. streaming: requests that were not scored; they are sent to "
            "the request topic again, as the requests that they were.",
            section=_WHICH,
        ),
        "from_date": day_field(
            "First day", "Score date, or day of publishing of a request (UTC).", _WHICH
        ),
        "to_date": day_field("Last day", "Empty: the first day alone.", _WHICH),
        "error_codes": field(
            [],
            type="array",
            items={"type": "string", "enum": [str(code) for code in ErrorCode]},
            examples=[str(code) for code in ErrorCode],
            title="Error codes",
            description="Empty: all.",
            section=_WHICH,
        ),
        "condition": field(
            None,
            type=["null", "string"],
            maxLength=10_000,
            title="Condition",
            description="SQL over the columns of the dead letters, as in: error_field = 'age' AND "
            "source_uri LIKE '%part-3%'. Empty: all.",
            section=_WHICH,
        ),
        "model_version": model_version_field(_HOW),
        "force": field(
            False,
            type="boolean",
            title="Force",
            description="Try also letters that a replay with this model, contract and code has "
            "found dead already.",
            section=_HOW,
        ),
        "dry_run": field(
            False,
            type="boolean",
            title="Dry run",
            description="batch: score and audit, publish nothing. streaming: count, send nothing.",
            section=_HOW,
        ),
    }
