"""The options of `python -m local.cloud`, and what is wrong with a bad one, in one line."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from local.cloud.config import STREAMING_ACKS, CloudConfig, WorkerImage
from local.cloud.faults.fault import Fault, NotAFault, faults_of

FAULTS_VARIABLE = "LOCAL_CLOUD_FAULTS"
_LOG_LEVELS = ("debug", "info", "warning", "error")
_MOST_PORTS = 65535

_DESCRIPTION = """\
Google Cloud on one machine, for unmodified clients: Cloud Storage, BigQuery, Dataflow, Vertex AI,
Cloud Monitoring and the metadata server (credentials) in one process on one port. State lies in the
data folder and survives a crash. GET /healthz answers when it is ready; SIGTERM ends it. Dataflow
jobs and deployed models outlive it: `python -m local.cloud.dataflow.stop --data FOLDER` and
`python -m local.cloud.aiplatform.stop --data FOLDER` end them."""

_EPILOG = f"""\
point clients at it, for port 8700:
  STORAGE_EMULATOR_HOST=http://localhost:8700
  BIGQUERY_EMULATOR_HOST=http://localhost:8700
  GCE_METADATA_HOST=localhost:8700  GCE_METADATA_IP=localhost:8700
  Beam: --runner=DataflowRunner --dataflow_endpoint=http://localhost:8700

faults are armed while it runs, at /_local/faults, or from its beginning, by --faults or
  {FAULTS_VARIABLE}='[{{"kind": "error", "path": "/storage/v1/", "code": 503, "times": 3}}]'

every client, every API and what of it is supported, every fault: local/cloud/README.md
"""


def parser() -> argparse.ArgumentParser:
    """All options; the fields of CloudConfig have its defaults."""
    defaults = {field.name: field.default for field in dataclasses.fields(CloudConfig)}
    made = _Parser(
        prog="python -m local.cloud",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--port", type=_port, required=True, help="0 takes any free port")
    made.add_argument(
        "--data", type=_folder, required=True, help="folder for all state; one server"
    )
    made.add_argument("--host", default=defaults["host"], help="default: %(default)s")
    made.add_argument("--project", default=defaults["project"], help="default: %(default)s")
    _add_bigquery(made, defaults)
    _add_dataflow(made, defaults)
    _add_monitoring(made, defaults)
    made.add_argument(
        "--faults",
        type=_fault_file,
        default=[],
        metavar="FILE",
        help="a JSON list of faults to arm from the beginning, see README",
    )
    made.add_argument(
        "--log-level",
        choices=_LOG_LEVELS,
        default="info",
        type=str.lower,
        help="default: %(default)s",
    )
    return made


def images_of(options: argparse.Namespace) -> dict[str, WorkerImage]:
    """The images, each with its entrypoint. Ends the program for an entrypoint of none of them."""
    images: dict[str, WorkerImage] = dict(options.image)
    for name, words in options.entrypoint:
        if name not in images:
            parser().error(f"--entrypoint: {name!r} is not an --image: name its interpreter too")
        images[name] = dataclasses.replace(images[name], entrypoint=words)
    return images


def faults_of_environment(environment: Mapping[str, str]) -> list[Fault]:
    """The faults that the environment asks for. Raises NotAFault."""
    text = environment.get(FAULTS_VARIABLE, "")
    try:
        return faults_of(text) if text.strip() else []
    except NotAFault as error:
        raise NotAFault(f"{FAULTS_VARIABLE}: {error}") from error


def _add_bigquery(made: argparse.ArgumentParser, defaults: Mapping[str, object]) -> None:
    made.add_argument(
        "--streaming-buffer",
        type=_seconds,
        default=defaults["streaming_buffer_s"],
        metavar="SECONDS",
        help="how long inserted rows stay in a BigQuery streaming buffer; default: %(default)s",
    )


def _add_dataflow(made: argparse.ArgumentParser, defaults: Mapping[str, object]) -> None:
    made.add_argument(
        "--image",
        type=_image,
        action="append",
        default=[],
        metavar="NAME=PYTHON[:PATH...]",
        help="stands in for a container image of Dataflow workers, of a Flex Template or of a "
        "prediction server: an interpreter and the folders to add to its PYTHONPATH; may be given "
        "several times",
    )
    made.add_argument(
        "--entrypoint",
        type=_entrypoint,
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="what an image of a prediction server runs, e.g. 'scorer=python -m scorer serve'",
    )
    made.add_argument(
        "--refuse-active-job-name",
        action="store_true",
        help="answer 409 to a second Dataflow job of an active name, instead of the active job",
    )
    made.add_argument(
        "--pubsub",
        type=_host_and_port,
        metavar="HOST:PORT",
        help="Pub/Sub emulator for streaming Dataflow jobs; default: PUBSUB_EMULATOR_HOST",
    )
    made.add_argument(
        "--streaming-bundle",
        type=_positive,
        default=defaults["streaming_bundle"],
        metavar="N",
        help="most messages in a bundle of a streaming Dataflow job; default: %(default)s",
    )
    made.add_argument(
        "--streaming-ack",
        choices=STREAMING_ACKS,
        default=defaults["streaming_ack"],
        help="when a streaming Dataflow job acknowledges a message: once everything downstream "
        "of it is processed, or as Dataflow does, once its first stage is; default: %(default)s",
    )


def _add_monitoring(made: argparse.ArgumentParser, defaults: Mapping[str, object]) -> None:
    made.add_argument(
        "--monitoring-interval",
        type=_some_seconds,
        default=defaults["monitoring_interval_s"],
        metavar="SECONDS",
        help="how often Cloud Monitoring's metrics are sampled; default: %(default)s",
    )
    made.add_argument(
        "--monitoring-delay",
        type=_seconds,
        default=defaults["monitoring_delay_s"],
        metavar="SECONDS",
        help="how long a sampled point stays invisible; default: what the service documents, 60 "
        "to 240 by metric",
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, without the whole usage before it."""
        self.exit(2, f"{message} (all options: {self.prog} --help)\n")


def _wanted(what: str, text: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{text!r} is not {what}")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _MOST_PORTS:
        raise _wanted(f"a port: give a number up to {_MOST_PORTS}, or 0 for any free port", text)
    return int(text)


def _folder(text: str) -> Path:
    path = Path(text).absolute()
    if path.exists() and not path.is_dir():
        raise _wanted("a folder: give one that exists, or a path where one can be made", text)
    return path


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise _wanted("a positive number", text)
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as error:
        raise _wanted("a number of seconds", text) from error
    if not 0 <= seconds < float("inf"):
        raise _wanted("a number of seconds: give 0 or more", text)
    return seconds


def _some_seconds(text: str) -> float:
    seconds = _seconds(text)
    if not seconds:
        raise _wanted("a positive number of seconds", text)
    return seconds


def _host_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise _wanted("HOST:PORT, like localhost:8085", text)
    return text


def _image(text: str) -> tuple[str, WorkerImage]:
    # The name of an image may hold colons and a digest, its interpreter's path holds neither.
    name, _, rest = text.partition("=")
    python, *folders = rest.split(":")
    if not name or not python:
        raise _wanted("NAME=PYTHON[:PATH...]", text)
    if not shutil.which(python):
        raise _wanted("an interpreter that can be run", python)
    for folder in folders:
        if not Path(folder).exists():
            raise _wanted("a folder for PYTHONPATH: it does not exist", folder)
    return name, WorkerImage(python, tuple(folders))


def _entrypoint(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, command = text.partition("=")
    words = tuple(shlex.split(command))
    if not name or not words:
        raise _wanted("NAME=COMMAND", text)
    return name, words


def _fault_file(text: str) -> list[Fault]:
    try:
        return faults_of(Path(text).read_text())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from error
    except NotAFault as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error
