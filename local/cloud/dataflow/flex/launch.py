"""A launch of a Flex Template: what its launcher is to run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from local.cloud.config import WorkerImage
from local.cloud.dataflow.folder import Streaming
from local.cloud.dataflow.planning import Machines


@dataclass(frozen=True)
class Launch:
    """A module and its arguments, the folder (gs://) where the description of the job is left, and
    what the job may then run on."""

    module: str
    arguments: tuple[str, ...]
    folder: str
    machines: Machines

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Launch:
        images = stored["machines"]["images"]
        return cls(
            stored["module"],
            tuple(stored["arguments"]),
            stored["folder"],
            Machines(
                {name: WorkerImage(**image) for name, image in images.items()},
                Streaming(**stored["machines"]["streaming"]),
            ),
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def command(self, python: str, job_id: str) -> list[str]:
        arguments = [*self.arguments, f"--template_location={self.description(job_id)}"]
        return [python, "-m", self.module, *arguments]

    def description(self, job_id: str) -> str:
        """Where Beam's DataflowRunner leaves the job instead of creating it."""
        return f"{self.folder}/template_launches/{job_id}/job_object"
