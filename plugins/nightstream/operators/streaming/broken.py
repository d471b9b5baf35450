"""What stands in for a round while the spec cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class BrokenSpecOperator(BaseOperator):
    """Fails with what is wrong in the spec, and touches nothing."""

    ui_color = "#fbe3e3"

    def __init__(self, *, problems: str, **kwargs: Any) -> None:
        """problems: each with the file, the field, the value and the remedy."""
        super().__init__(**kwargs)
        self.problems = problems

    def execute(self, context: Context) -> None:  # noqa: ARG002
        raise AirflowFailException(
            f"the spec cannot be read; the job goes on as it is, and nobody looks after it:\n"
            f"{self.problems}"
        )
