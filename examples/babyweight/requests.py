"""Makes requests for the streaming job from the real births, with some broken ones among them.

python -m examples.babyweight.requests --count 2000 --output requests.jsonl
python -m beam_jobs.send --topic babyweight-requests --file requests.jsonl --rate 300 \\
    --wait --responses babyweight-answers
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from beam_jobs.runs.dead_letter import ErrorCode
from examples.babyweight.births import load_births, without_ultrasound

_GOOD = {"weight_pounds": 7.1, "is_male": "True", "mother_age": 31.0, "plurality": "Single(1)"}

BROKEN_REQUESTS: dict[ErrorCode, bytes] = {
    ErrorCode.WRONG_TYPE: json.dumps({**_GOOD, "gestation_weeks": "forty"}).encode(),
    ErrorCode.OUT_OF_RANGE: json.dumps({**_GOOD, "gestation_weeks": 90}).encode(),
    ErrorCode.NOT_ALLOWED: json.dumps(
        {**_GOOD, "plurality": "Sextuplets(6)", "gestation_weeks": 36}
    ).encode(),
    ErrorCode.MISSING_VALUE: json.dumps(_GOOD).encode(),
    ErrorCode.NOT_AN_OBJECT: json.dumps([*_GOOD.values(), 39]).encode(),
    ErrorCode.NOT_JSON: json.dumps(_GOOD).encode()[:-1],
    ErrorCode.NOT_UTF8: b'{"is_male": "True", "plurality": "Single(1)\xff\xfe"}',
}
"""One request for each of these reasons."""


@dataclass(frozen=True)
class RequestFile:
    """Requests in the order in which they are sent, and what must come of them."""

    payloads: tuple[bytes, ...]
    """A JSON object each, but for the broken ones."""
    broken: dict[int, ErrorCode]
    """By index, why a request must become a dead letter."""

    @property
    def scored(self) -> int:
        """How many of them must be scored."""
        return len(self.payloads) - len(self.broken)

    @property
    def dead(self) -> dict[str, int]:
        """How many must be dead letters, by error code."""
        return dict(Counter(str(code) for code in self.broken.values()))

    @property
    def content(self) -> bytes:
        """The file: a request on each line."""
        return b"".join(payload + b"\n" for payload in self.payloads)


def make_requests(count: int = 2000, broken: int = 2, seed: int = 1) -> RequestFile:
    """So many requests, among them each kind of broken one so many times.

    The same arguments always make the same bytes. About a third of the births are known without an
    ultrasound; where more are wanted than there are, births come again.
    """
    random = np.random.default_rng(seed)
    codes = [code for code in BROKEN_REQUESTS for _ in range(broken)]
    if len(codes) > count:
        raise ValueError(f"{count} requests cannot hold {len(codes)} broken ones")
    births = iter(_births(count - len(codes), random))
    places = sorted(random.choice(count, len(codes), replace=False).tolist())
    mistakes = dict(zip(places, random.permutation(codes), strict=True))
    return RequestFile(
        payloads=tuple(
            BROKEN_REQUESTS[mistakes[index]] if index in mistakes else next(births)
            for index in range(count)
        ),
        broken={index: ErrorCode(code) for index, code in mistakes.items()},
    )


def _births(count: int, random: np.random.Generator) -> list[bytes]:
    known = load_births()
    rows = np.arange(count) % len(known)
    births = known.iloc[random.permutation(rows)].reset_index(drop=True)
    unseen = random.random(count) < 1 / 3
    requests = pd.concat([births[~unseen], without_ultrasound(births[unseen])]).sort_index()
    return [json.dumps(request).encode() for request in requests.to_dict("records")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="requests in all")
    parser.add_argument("--broken", type=int, default=2, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="*.jsonl")
    arguments = parser.parse_args()
    requests = make_requests(arguments.count, arguments.broken, arguments.seed)
    arguments.output.write_bytes(requests.content)
    print(f"{arguments.output}: {requests.scored} births, and broken: {requests.dead}")


if __name__ == "__main__":
    main()
