"""Google's own Pub/Sub emulator: how it is found and started."""

from __future__ import annotations

import shutil

from local.stack.cloud_sdk import pubsub_emulator_jar, sdk_folder
from local.stack.component import Component
from local.stack.errors import StackError
from local.stack.health import says_ok
from local.stack.settings import StackSettings

_MAX_HEAP = "-Xmx2g"
"""It keeps acknowledged messages too, until their subscription is deleted: about 750 bytes for one
of 140. This much ends after some two and a half million."""


def pubsub(settings: StackSettings) -> Component:
    """The component; unavailable where the emulator or Java is not installed."""
    try:
        command, unavailable = _command(settings.pubsub_port), None
    except StackError as error:
        command, unavailable = (), error
    return Component(
        name="pubsub",
        command=command,
        ready=lambda _started: says_ok(f"http://{settings.pubsub_host}/"),
        address=settings.pubsub_host,
        port=(settings.pubsub_port, "NIGHTSTREAM_PUBSUB_PORT"),
        unavailable=unavailable,
    )


def _command(port: int) -> tuple[str, ...]:
    """Raises StackError naming what is not installed, with the command that installs it."""
    sdk = sdk_folder()
    if sdk is None:
        raise StackError(
            "the Google Cloud SDK is not installed (no gcloud on the PATH)",
            "install it (https://cloud.google.com/sdk/docs/install), then "
            "`gcloud components install pubsub-emulator`",
        )
    jar = pubsub_emulator_jar(sdk)
    if jar is None:
        raise StackError(
            f"the Google Cloud SDK in {sdk} lacks the Pub/Sub emulator",
            "`gcloud components install pubsub-emulator`, or, where the SDK came by apt, "
            "`sudo apt-get install google-cloud-cli-pubsub-emulator`",
        )
    java = shutil.which("java")
    if java is None:
        raise StackError(
            "the Pub/Sub emulator needs Java (no java on the PATH)",
            "`sudo apt-get install openjdk-17-jre-headless`",
        )
    machine = (java, _MAX_HEAP, "-XX:+ExitOnOutOfMemoryError", "-Djava.net.preferIPv4Stack=true")
    return (*machine, "-jar", str(jar), "--host=127.0.0.1", f"--port={port}")
