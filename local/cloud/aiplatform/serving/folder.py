"""The folder of one deployed model: how its container is run, and how that goes.

- container.json: what to run (the server, once)
- stop: made by the server to ask for the end
- status.json: the state reached (the supervisor)
- container.log: what the container prints
- lock: held by the supervisor as long as it lives, with its process id
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from local.cloud.supervised import SupervisedFolder, last_lines, read_json, write_atomically

LOG_LINES = 20


@dataclass(frozen=True)
class Container:
    """What stands in for a container: a command, its variables, and where it is asked for health.

    `command`, `args` and `variables` (name, value) may refer to variables by $(NAME), as in
    Vertex's container specs; the supervisor adds AIP_HTTP_PORT. `environment` is the server's.
    """

    command: tuple[str, ...]
    args: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    environment: dict[str, str]
    health_route: str
    predict_route: str


@dataclass(frozen=True)
class Status:
    """Where the container listens while it is healthy, and how often its process has ended."""

    port: int | None = None
    exits: int = 0
    served: bool = False
    """Whether it has ever been healthy."""


@dataclass(frozen=True)
class ServingFolder(SupervisedFolder):
    """Reads and writes the files of one deployed model."""

    @classmethod
    def create(cls, path: Path, container: Container) -> ServingFolder:
        path.mkdir(parents=True, exist_ok=True)
        folder = cls(path)
        (path / "stop").unlink(missing_ok=True)
        folder.write_status(Status())  # not an earlier deployment's under the same id
        write_atomically(path / "container.json", asdict(container))
        return folder

    @property
    def log(self) -> Path:
        return self.path / "container.log"

    def container(self) -> Container | None:
        """None where creation was cut short."""
        stored = read_json(self.path / "container.json")
        if stored is None:
            return None
        return Container(
            command=tuple(stored["command"]),
            args=tuple(stored["args"]),
            variables=tuple((name, value) for name, value in stored["variables"]),
            environment=stored["environment"],
            health_route=stored["health_route"],
            predict_route=stored["predict_route"],
        )

    def status(self) -> Status:
        return Status(**(read_json(self.path / "status.json") or {}))

    def write_status(self, status: Status) -> None:
        write_atomically(self.path / "status.json", asdict(status))

    def stopping(self) -> bool:
        return (self.path / "stop").exists()

    def ask_to_stop(self) -> None:
        (self.path / "stop").touch()

    def note(self, line: str) -> None:
        with self.log.open("a") as log:
            log.write(f"{line}\n")

    def last_words(self) -> str:
        """The end of what the container printed."""
        return last_lines(self.log, LOG_LINES) if self.log.exists() else ""
