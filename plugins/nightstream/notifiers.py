"""Who is told of alerts: Airflow's notifiers, by the import paths of the environment's spec."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from airflow.providers.common.compat.sdk import BaseNotifier

from beam_jobs.spec import NotifierSpec, Problem

log = logging.getLogger(__name__)


class LogNotifier(BaseNotifier):
    """Writes one ERROR line that a log-based alert can be set on."""

    def notify(self, context: Any) -> None:
        alert = context["alert"]
        text = " ".join(alert.text.split())
        log.error(
            "NIGHTSTREAM ALERT %s %s: %s: %s", alert.severity, alert.service, alert.title, text
        )


class NotifierError(Exception):
    """A notifier that cannot be made as it is declared."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}. Remedy: {remedy}")
        self.message = message
        self.remedy = remedy


def made(declared: NotifierSpec) -> BaseNotifier:
    """The notifier itself. Raises NotifierError."""
    module, _, name = declared.notifier.rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except Exception as error:  # whatever a module does as it is imported
        raise NotifierError(
            f"it cannot be imported: {error}",
            "correct the import path, or install what it needs (also in the scheduler's image)",
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, BaseNotifier)):
        raise NotifierError("it is no notifier", "name a class that is derived from BaseNotifier")
    try:
        return kind(**declared.arguments)
    except Exception as error:  # whatever its constructor does
        raise NotifierError(
            f"it cannot be made: {error}", "correct `arguments`: they are those of the class"
        ) from error


def notifier_problems(declared: Sequence[NotifierSpec]) -> Iterator[Problem]:
    """What is wrong with the notifiers of an environment."""
    for number, notifier in enumerate(declared):
        try:
            made(notifier)
        except NotifierError as error:
            field = f"airflow.alerts[{number}]"
            yield Problem(field, repr(notifier.notifier), error.message, error.remedy)
