"""The command: a file in, requests out, and what came of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from google.auth.exceptions import GoogleAuthError
from rich.console import Console

from beam_jobs.send.arguments import Arguments, parse_arguments
from beam_jobs.send.errors import SendError
from beam_jobs.send.payloads import Format, csv_payloads, csv_to_json, json_payloads
from beam_jobs.send.report import progress_bar, tell
from beam_jobs.send.sending import Order, send


def main(argv: Sequence[str] | None = None) -> int:
    """Sends a file; 0 when all messages were accepted and, where waited for, answered."""
    arguments = parse_arguments(argv)
    try:
        order = order_of(arguments)
        with progress_bar(order, Console(stderr=True)) as show:
            outcome = send(order, show)
    except (SendError, GoogleAuthError, OSError) as error:
        print(f"python -m beam_jobs.send: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\n".join(tell(order, outcome)))
    return 0 if outcome.complete else 1


def order_of(arguments: Arguments) -> Order:
    """Reads the file. Raises OSError, or SendError where it holds nothing, or nothing that can be
    sent."""
    payloads = tuple(_payloads(arguments, arguments.file.read_bytes()))
    if not payloads:
        raise SendError(f"{arguments.file} holds no requests")
    return Order(
        topic=arguments.topic,
        payloads=payloads,
        count=arguments.count or arguments.repeat * len(payloads),
        rate=arguments.rate,
        id_prefix=arguments.id_prefix,
        id_attribute=arguments.id_attribute,
        waiting=arguments.waiting,
    )


def _payloads(arguments: Arguments, content: bytes) -> Iterator[bytes]:
    if arguments.source is Format.JSON:
        return json_payloads(content)
    if arguments.format is Format.JSON:
        return csv_to_json(content)
    return csv_payloads(
        content, header=arguments.header, lines_per_message=arguments.lines_per_message
    )
