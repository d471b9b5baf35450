"""How a job is run: which interpreter stands in for its image, on how many workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.config import CloudConfig, WorkerImage
from local.cloud.dataflow import images
from local.cloud.dataflow.folder import Plan, Streaming
from local.cloud.dataflow.request import images_of, workers_of


@dataclass(frozen=True)
class Machines:
    """What jobs may run on: the images the server knows, and how it runs streaming jobs."""

    images: Mapping[str, WorkerImage]
    streaming: Streaming

    @classmethod
    def of(cls, config: CloudConfig) -> Machines:
        return cls(config.images, Streaming(config.streaming_bundle, config.streaming_ack))

    def plan(self, job: dict[str, Any]) -> Plan:
        """Raises ApiError where no known image fits."""
        image = images.stand_in(images_of(job), self.images)
        streaming = self.streaming if job["type"] == "JOB_TYPE_STREAMING" else None
        return Plan(image.python, image.pythonpath, workers_of(job), streaming)
