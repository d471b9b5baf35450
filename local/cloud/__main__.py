"""Run the local cloud: `python -m local.cloud --port 8700 --data .local/cloud`."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import signal
import socket
import sys
from pathlib import Path

from local.cloud.config import STREAMING_ACKS, CloudConfig, WorkerImage
from local.cloud.folder import FolderTaken
from local.cloud.server import serve

_DESCRIPTION = """\
Google Cloud on one machine, for unmodified clients: Cloud Storage, BigQuery, Dataflow, Cloud
Monitoring and the metadata server (credentials) in one process on one port. State lies in the data
folder and survives a crash."""

_EPILOG = """\
point clients at it, for port 8700:
  STORAGE_EMULATOR_HOST=http://localhost:8700
  BIGQUERY_EMULATOR_HOST=http://localhost:8700
  GCE_METADATA_HOST=localhost:8700  GCE_METADATA_IP=localhost:8700
  Beam: --runner=DataflowRunner --dataflow_endpoint=http://localhost:8700
"""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        print(
            f"Port {options.port} on {options.host} cannot be used ({error.strerror}): "
            "choose another with --port, or 0 for any free one.",
            file=sys.stderr,
        )
        return 1
    config = CloudConfig(
        data=options.data.absolute(),
        port=listener.getsockname()[1],
        host=options.host,
        project=options.project,
        images=dict(options.image),
        refuse_active_job_name=options.refuse_active_job_name,
        pubsub=options.pubsub,
        streaming_bundle=options.streaming_bundle,
        streaming_ack=options.streaming_ack,
        streaming_buffer_s=options.streaming_buffer,
        monitoring_interval_s=options.monitoring_interval,
        monitoring_delay_s=options.monitoring_delay,
    )
    # The server stops in order on a signal and then raises it once more, for us to leave by.
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: sys.exit(0))
    try:
        serve(config, listener)
    except FolderTaken as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = {field.name: field.default for field in dataclasses.fields(CloudConfig)}
    parser = argparse.ArgumentParser(
        prog="python -m local.cloud",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--data", type=Path, required=True, help="folder for all state; one server")
    parser.add_argument("--host", default=defaults["host"], help="default: %(default)s")
    parser.add_argument("--project", default=defaults["project"], help="default: %(default)s")
    parser.add_argument(
        "--image",
        type=_image,
        action="append",
        default=[],
        metavar="NAME=PYTHON[:PATH...]",
        help="stands in for a container image of Dataflow workers or of a Flex Template: an "
        "interpreter and the folders to add to its PYTHONPATH; may be given several times",
    )
    parser.add_argument(
        "--refuse-active-job-name",
        action="store_true",
        help="answer 409 to a second Dataflow job of an active name, instead of the active job",
    )
    parser.add_argument(
        "--streaming-buffer",
        type=float,
        default=defaults["streaming_buffer_s"],
        metavar="SECONDS",
        help="how long inserted rows stay in a BigQuery streaming buffer; default: %(default)s",
    )
    parser.add_argument(
        "--pubsub", metavar="HOST:PORT", help="Pub/Sub emulator for streaming Dataflow jobs"
    )
    parser.add_argument(
        "--streaming-bundle",
        type=_positive,
        default=defaults["streaming_bundle"],
        metavar="N",
        help="most messages in a bundle of a streaming Dataflow job; default: %(default)s",
    )
    parser.add_argument(
        "--streaming-ack",
        choices=STREAMING_ACKS,
        default=defaults["streaming_ack"],
        help="when a streaming Dataflow job acknowledges a message: once everything downstream "
        "of it is processed, or as Dataflow does, once its first stage is; default: %(default)s",
    )
    parser.add_argument(
        "--monitoring-interval",
        type=_positive_seconds,
        default=defaults["monitoring_interval_s"],
        metavar="SECONDS",
        help="how often Cloud Monitoring's metrics are sampled; default: %(default)s",
    )
    parser.add_argument(
        "--monitoring-delay",
        type=float,
        default=defaults["monitoring_delay_s"],
        metavar="SECONDS",
        help="how long a sampled point stays invisible; default: what the service documents, 60 "
        "to 240 by metric",
    )
    parser.add_argument("--log-level", default="info", help="default: %(default)s")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"not a positive number: {text}")
    return int(text)


def _positive_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"not a positive number of seconds: {text}")
    return seconds


def _image(text: str) -> tuple[str, WorkerImage]:
    # The name of an image may hold colons and a digest, its interpreter's path holds neither.
    name, _, rest = text.partition("=")
    python, *folders = rest.split(":")
    if not name or not python:
        raise argparse.ArgumentTypeError(f"not NAME=PYTHON[:PATH...]: {text}")
    return name, WorkerImage(python, tuple(folders))


def _listen(host: str, port: int) -> socket.socket:
    """A bound listening socket, so that a taken port is known before anything starts."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


if __name__ == "__main__":
    sys.exit(main())
