"""Google's Pub/Sub emulator in a process of its own, for tests through real clients."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, NamedTuple

import grpc
import pytest
from google.cloud import pubsub_v1
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.stack.cloud_sdk import pubsub_emulator_jar, sdk_folder
from local.stack.ports import free_port
from tests.support.local_cloud import PROJECT
from tests.support.patience import PATIENCE_S

# It keeps acknowledged messages: this much holds about a million small ones. The whole heap at
# once: as it grew, the collector would stop the emulator again and again. The second compiler takes
# a third of the emulator's time, and tests are over before that is repaid.
_MACHINE = ("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Paths(NamedTuple):
    """Full names of a topic and of a subscription to it."""

    topic: str
    subscription: str


class PubsubEmulator:
    """One emulator on a free port. `restart` is kill -9 and a new, empty one on the same port."""

    def __init__(self, log: Path, machine: Sequence[str] = _MACHINE) -> None:
        """`machine`: options of the Java virtual machine."""
        self.port = free_port()
        self._log = log
        self._machine = machine
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """What points a process's clients here."""
        return {"PUBSUB_EMULATOR_HOST": self.host}

    def start(self) -> PubsubEmulator:
        """Returns when the emulator answers."""
        with self._log.open("ab") as log:
            self._process = _java(self._machine, self.port, log)
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert time.monotonic() < deadline, f"no Pub/Sub emulator: {self._log.read_text()}"
            time.sleep(0.05)
        return self

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """All topics, subscriptions and messages are gone afterwards."""
        self.kill()
        self.start()

    def publisher(self) -> pubsub_v1.PublisherClient:
        return publisher_at(self.host)

    def subscriber(self) -> pubsub_v1.SubscriberClient:
        transport = SubscriberGrpcTransport(channel=self._channel())
        return pubsub_v1.SubscriberClient(transport=transport)

    def create(
        self, topic: str = "", subscription: str = "", ack_deadline_seconds: int = 10
    ) -> Paths:
        """A topic and a subscription to it, under the given names or under new ones."""
        unique = uuid.uuid4().hex[:12]
        paths = Paths(
            f"projects/{PROJECT}/topics/{topic or f'topic-{unique}'}",
            f"projects/{PROJECT}/subscriptions/{subscription or f'subscription-{unique}'}",
        )
        with closing(self._channel()) as channel:
            publisher = PublisherGrpcTransport(channel=channel)
            subscriber = SubscriberGrpcTransport(channel=channel)
            pubsub_v1.PublisherClient(transport=publisher).create_topic(name=paths.topic)
            pubsub_v1.SubscriberClient(transport=subscriber).create_subscription(
                name=paths.subscription,
                topic=paths.topic,
                ack_deadline_seconds=ack_deadline_seconds,
            )
        return paths

    def _channel(self) -> grpc.Channel:
        return _channel_to(self.host)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the emulator ended: {self._log.read_text()}"
        with closing(self._channel()) as channel:
            try:
                grpc.channel_ready_future(channel).result(timeout=0.5)
            except grpc.FutureTimeoutError:
                return False
        return True


def publisher_at(host: str) -> pubsub_v1.PublisherClient:
    """A publisher to the emulator there."""
    return pubsub_v1.PublisherClient(transport=PublisherGrpcTransport(channel=_channel_to(host)))


def _channel_to(host: str) -> grpc.Channel:
    return grpc.insecure_channel(host, _ANY_SIZE)


@pytest.fixture(scope="session")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubsubEmulator]:
    """The emulator of all tests; each makes topics of its own."""
    emulator = PubsubEmulator(tmp_path_factory.mktemp("pubsub") / "emulator.log").start()
    yield emulator
    emulator.kill()


def _java(machine: Sequence[str], port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["java", *machine, "-jar", emulator_jar(), "--host=localhost", f"--port={port}"],
        stdout=log,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )


def emulator_jar() -> Path:
    """The emulator's program in the installed Google Cloud SDK."""
    sdk = sdk_folder()
    jar = sdk and pubsub_emulator_jar(sdk)
    assert jar, "no Pub/Sub emulator: run `gcloud components install pubsub-emulator`"
    return jar
