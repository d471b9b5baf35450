"""The command line of the sender."""

from __future__ import annotations

import argparse
import math
import os
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from beam_jobs.send.payloads import Format
from beam_jobs.send.sending import Waiting

_DESCRIPTION = """\
Publishes a CSV or JSON-lines file as requests, at an even rate, each message with a request id as
an attribute. Ends with 0 when Pub/Sub has accepted every message and, with --wait, every one was
answered."""

_EPILOG = """\
A CSV file is sent line by line; with --format json each row becomes an object whose values are
strings, which the contract takes for numbers too, and null where the cell is empty. A JSON-lines
file is sent line by line as it is. PUBSUB_EMULATOR_HOST, where set, says where Pub/Sub is.

Examples:
  python -m beam_jobs.send --topic babyweight-requests --file requests.jsonl --rate 300 \\
      --wait --responses babyweight-answers
  python -m beam_jobs.send --topic projects/my-project/topics/prices --file prices.csv \\
      --no-header --lines-per-message 20
"""

_SUFFIXES = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSON,
    ".ndjson": Format.JSON,
}


@dataclass(frozen=True)
class Arguments:
    """What one call is to do."""

    topic: str
    file: Path
    source: Format
    """What the file holds."""
    format: Format
    """What the messages are to hold."""
    header: bool
    lines_per_message: int
    rate: float | None
    count: int | None
    """Messages to send; None is the file `repeat` times."""
    repeat: int
    id_prefix: str | None
    id_attribute: str
    waiting: Waiting | None


def parse_arguments(argv: Sequence[str] | None) -> Arguments:
    """Exits with usage and message when the arguments do not fit together."""
    parser = _parser()
    known = parser.parse_args(argv)
    source = _SUFFIXES.get(known.file.suffix.lower())
    if source is None:
        parser.error(f"{known.file}: its name must end in {', '.join(_SUFFIXES)}")
    format_ = known.format or source
    for met, message in _contradictions(known, source, format_):
        if met:
            parser.error(message)
    return Arguments(
        topic=_path(parser, "--topic", known.topic, known.project),
        file=known.file,
        source=source,
        format=format_,
        header=not known.no_header,
        lines_per_message=known.lines_per_message,
        rate=known.rate,
        count=known.count,
        repeat=known.repeat,
        id_prefix=_id_prefix(known),
        id_attribute=known.id_attribute,
        waiting=_waiting(parser, known),
    )


def _contradictions(
    known: argparse.Namespace, source: Format, format_: Format
) -> list[tuple[bool, str]]:
    several = known.lines_per_message > 1
    json = format_ is Format.JSON
    from_json = source is Format.JSON
    return [
        (from_json and not json, "a JSON file is sent as JSON only"),
        (from_json and known.no_header, "--no-header is for CSV files"),
        (json and known.no_header, "--format json needs the header, which names the values"),
        (json and several, "--lines-per-message is for CSV messages; one of JSON is one object"),
        (known.wait and not known.responses, "--wait needs --responses: where answers arrive"),
        (known.wait and known.no_ids, "--wait needs ids; drop --no-ids"),
        (known.wait and several, "--wait needs one request in each message"),
    ]


def _id_prefix(known: argparse.Namespace) -> str | None:
    """Left out, a new one for each call: requests sent again are other requests."""
    if known.no_ids:
        return None
    prefix: str | None = known.id_prefix
    return f"{uuid.uuid4().hex[:8]}-" if prefix is None else prefix


def _waiting(parser: argparse.ArgumentParser, known: argparse.Namespace) -> Waiting | None:
    if not known.wait:
        return None
    path = _path(parser, "--responses", known.responses, known.project)
    return Waiting(path, known.timeout)


def _path(parser: argparse.ArgumentParser, option: str, name: str, project: str | None) -> str:
    """The full path of a topic, or of a subscription where that may stand too."""
    kinds = "topics|subscriptions" if option == "--responses" else "topics"
    if re.fullmatch(rf"projects/[^/]+/({kinds})/[^/]+", name):
        return name
    if "/" in name:
        parser.error(f"{option} {name}: say a name, or projects/P/({kinds})/NAME")
    project = project or os.environ.get("GOOGLE_CLOUD_PROJECT")
    if not project:
        parser.error(f"{option} {name}: in which project? say --project, or the full path")
    return f"projects/{project}/topics/{name}"


def _positive(type_: type[int] | type[float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = type_(text)
        if not 0 < value < math.inf:
            raise ValueError(text)
        return value

    parse.__name__ = f"positive {'number' if type_ is float else 'integer'}"
    return parse


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m beam_jobs.send",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole, number = _positive(int), _positive(float)
    add = parser.add_argument
    add("--topic", required=True, help="a name, or projects/P/topics/NAME")
    add("--project", help="of names without one (default $GOOGLE_CLOUD_PROJECT)")
    add("--rate", type=number, metavar="R", help="messages a second (default: as fast as it goes)")
    file = parser.add_argument_group("what is sent")
    file.add_argument("--file", type=Path, required=True, help="*.csv, or JSON lines")
    file.add_argument("--format", type=Format, choices=list(Format), help="of the messages")
    file.add_argument("--no-header", action="store_true", help="the CSV file begins with data")
    file.add_argument("--lines-per-message", type=whole, default=1, metavar="K", help="of CSV")
    times = file.add_mutually_exclusive_group()
    times.add_argument("--repeat", type=whole, default=1, metavar="N", help="the file N times")
    times.add_argument("--count", type=whole, metavar="N", help="N messages, over and over")
    ids = parser.add_argument_group("request ids")
    ids.add_argument("--id-attribute", default="request_id", metavar="NAME")
    ids.add_argument("--id-prefix", help="before the running number (default: a random one)")
    ids.add_argument("--no-ids", action="store_true", help="messages without the attribute")
    wait = parser.add_argument_group("answers")
    wait.add_argument("--wait", action="store_true", help="for an answer to each; prints latencies")
    wait.add_argument(
        "--responses", metavar="TOPIC", help="the response topic, or projects/P/subscriptions/NAME"
    )
    wait.add_argument(
        "--timeout", type=number, default=60.0, metavar="S", help="after the last (default 60)"
    )
    return parser
