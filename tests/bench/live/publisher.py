"""Publishes requests from a process of its own, at an even rate or as fast as they are taken.

python -m tests.bench.live.publisher TOPIC PAYLOADS.jsonl PREFIX COUNT [RATE]

Its first line says when the first request was due, in seconds since the epoch; request n is named
PREFIX and n, and is due n/RATE seconds later.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from beam_jobs.send.messages import numbered
from beam_jobs.send.pacing import Pace, paced
from beam_jobs.send.publishing import Publisher


def main(topic: str, payloads: str, prefix: str, count: str, rate: str = "") -> int:
    messages = numbered(Path(payloads).read_bytes().splitlines(), int(count), prefix)
    with Publisher(topic, "request_id") as publisher:
        print(time.time(), flush=True)
        for batch in paced(messages, Pace(float(rate) if rate else None)):
            publisher.publish(batch)
    if publisher.accepted != int(count):
        print(f"{publisher.accepted} of {count} published: {publisher.failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
