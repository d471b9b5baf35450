"""Notifiers whose calls can be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import BaseNotifier


class FileNotifier(BaseNotifier):
    """Adds a line of text to a file; the text is a template."""

    template_fields = ("text",)

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self.path = path
        self.text = text

    def notify(self, context: Any) -> None:  # noqa: ARG002
        with Path(self.path).open("a") as file:
            file.write(f"{self.text}\n")


class BrokenNotifier(BaseNotifier):
    """Fails whenever it is called."""

    def notify(self, context: Any) -> None:  # noqa: ARG002
        raise ConnectionError("the pager is off")
