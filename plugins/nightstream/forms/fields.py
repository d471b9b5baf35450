"""What the forms have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import Param
from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from airflow.sdk import Context

# An older, smaller schema language: Airflow checks each parameter's schema each time it builds a
# DAG, and checking one of the newest language takes three times as long.
_LANGUAGE = "http://json-schema.org/draft-07/schema#"


class FilledIn(BaseModel):
    """A form as filled in; a run that nobody triggered has the defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def of(cls, context: Context) -> Self:
        """The choices of the DAG run in whose task this is called.

        Raises AirflowFailException where they do not fit together: a retry finds the same.
        """
        given = {key: value for key, value in context["params"].items() if value != ""}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            said = "; ".join(problem["msg"] for problem in error.errors())
            raise AirflowFailException(f"the form is filled in wrongly: {said}") from error


def field(default: Any, *, description: str, **schema: Any) -> Param:
    """One field of a form; `schema` is JSON schema, and `title` and `section` of the form."""
    return Param(default, description=description, schema={"$schema": _LANGUAGE, **schema})


def day_field(title: str, description: str, section: str) -> Param:
    """A day that may be left empty."""
    return field(
        None,
        type=["null", "string"],
        format="date",
        title=title,
        description=description,
        section=section,
    )


def model_version_field(
    section: str,
    description: str = "A version or an alias of the service's models. Empty: as the spec says.",
) -> Param:
    """Which model."""
    return field(
        None,
        type=["null", "string"],
        pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$",
        title="Model version",
        description=description,
        section=section,
    )
