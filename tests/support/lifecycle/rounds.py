"""What the rounds of a streaming DAG said, read from the logs of their tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_ALERT = "NIGHTSTREAM ALERT"


@dataclass(frozen=True)
class Line:
    """One line of a task's log."""

    at: datetime
    level: str
    logger: str
    text: str

    @property
    def by_operator(self) -> bool:
        """Whether one of our tasks said it, and not Airflow."""
        return "nightstream" in self.logger


@dataclass(frozen=True)
class RoundLogs:
    """All rounds of one DAG so far."""

    folder: Path
    """Where Airflow keeps the logs of its tasks."""
    dag_id: str

    def lines(self, task_id: str) -> list[Line]:
        """What all tries of the task said, in the order of time."""
        pattern = f"dag_id={self.dag_id}/run_id=*/task_id={task_id}/attempt=*.log"
        found = (line for path in self.folder.glob(pattern) for line in _lines(path))
        return sorted(found, key=lambda line: line.at)

    def story(self) -> str:
        """All that was decided, and whatever did not succeed, in the order of time."""
        told = [
            (line.at, f"{task_id}: {line.text}")
            for task_id in ("observe", "decide", "act", "record")
            for line in self.lines(task_id)
            if (task_id == "decide" and line.by_operator) or line.level in ("error", "critical")
        ]
        return "\n".join(f"{at:%H:%M:%S} {text}" for at, text in sorted(told))

    def said(self, task_id: str, text: str) -> list[Line]:
        """The lines of the task with that text in them."""
        return [line for line in self.lines(task_id) if text in line.text]

    def alerts(self) -> list[str]:
        """What people were told, in the order of time, each as often as it was."""
        return [line.text for line in self.lines("record") if line.text.startswith(_ALERT)]

    def decided_at(self) -> list[datetime]:
        """When each round came to its decision."""
        return [line.at for line in self.said("decide", "Action: ")]


def _lines(path: Path) -> Iterator[Line]:
    for line in path.read_text(errors="replace").splitlines():
        try:
            told = json.loads(line)
            at = datetime.fromisoformat(told["timestamp"]).astimezone(UTC)
        except (ValueError, KeyError, TypeError):
            continue  # half a line of a process that was killed
        level, logger, text = (str(told.get(key, "")) for key in ("level", "logger", "event"))
        errors = [str(error["exc_value"]) for error in told.get("error_detail") or ()]
        yield Line(at, level, logger, "\n".join([text, *errors]))
