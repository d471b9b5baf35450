"""A streaming service that can be made to fail: its model is moody, its requests are named."""

from __future__ import annotations

from typing import Any

from beam_jobs.spec import ServiceSpec
from tests.support.live_service import LiveService
from tests.support.local_cloud import WORKER_IMAGE, LocalCloud
from tests.support.models import Moody, release
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.specs import a_service

_FIELDS = [
    {"name": "id", "type": "string", "passthrough": True, "nullable": True},
    {"name": "number", "type": "integer", "passthrough": True, "nullable": True},
    {"name": "day", "type": "date", "passthrough": True, "nullable": True},
    {"name": "first", "type": "boolean", "passthrough": True, "nullable": True},
    {"name": "weeks", "type": "float", "range": [-10, 100]},
]


def a_moody_service(name: str, **streaming: Any) -> ServiceSpec:
    """Requests are named and dated by the attributes `request_id` and `event_time`."""
    declared = {
        "topic": f"{name}-requests",
        "subscription": f"{name}-scoring",
        "request_id": {"attribute": "request_id"},
        "event_time": {"attribute": "event_time"},
        "batch": {"rows": 500},
        **streaming,
    }
    return a_service(name, input={"fields": _FIELDS}, streaming=declared)


def start_moody_service(
    cloud: LocalCloud,
    pubsub: PubsubEmulator,
    name: str,
    ack_deadline_seconds: int = 10,
    **streaming: Any,
) -> LiveService:
    """The service with its job running."""
    spec = a_moody_service(name, **streaming)
    service = LiveService(cloud, pubsub, spec, WORKER_IMAGE, ack_deadline_seconds)
    service.create_places()
    release(service.models, "v1", service.objects, model=Moody())
    service.prepare()
    service.start()
    return service
