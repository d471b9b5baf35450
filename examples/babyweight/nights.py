"""Makes nights of scoring requests from the real births, with some broken rows among them.

python -m examples.babyweight.nights --bucket nightstream-input --first 2026-11-01 --nights 3
python -m examples.babyweight.nights --first 2026-11-04 --shifted   # births of 2014: they drift
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from beam_jobs.objects import open_objects
from beam_jobs.runs.dead_letter import ErrorCode
from examples.babyweight.births import births_of_2014, load_births, without_ultrasound

HEADER = "weight_pounds,is_male,mother_age,plurality,gestation_weeks,key"

BROKEN_ROWS: dict[ErrorCode, bytes] = {
    ErrorCode.WRONG_TYPE: b"7.1,True,28,Single(1),forty,%s",
    ErrorCode.OUT_OF_RANGE: b"7.1,False,99,Single(1),39,%s",
    ErrorCode.NOT_ALLOWED: b"7.1,True,31,Sextuplets(6),36,%s",
    ErrorCode.MISSING_VALUE: b"7.1,True,31,Single(1),,%s",
    ErrorCode.COLUMN_COUNT: b"7.1,True,31,Single(1),%s",
    ErrorCode.NOT_UTF8: b"7.1,True,31,Single(1)\xff\xfe,39,%s",
    ErrorCode.UNBALANCED_QUOTE: b'7.1,True,31,"Single(1),39,%s',
}
"""One row for each of these reasons; %s is the row's key."""


@dataclass(frozen=True)
class Night:
    """One night of requests, and what must come of it."""

    score_date: date
    files: dict[str, bytes]
    """By name below the night's folder."""
    scored: int
    dead: dict[str, int]
    """By error code."""

    @property
    def rows(self) -> int:
        return self.scored + sum(self.dead.values())


def make_night(
    score_date: date,
    births: int = 600,
    broken: int = 2,
    files: int = 2,
    known: pd.DataFrame | None = None,
) -> Night:
    """A night of so many births, and each kind of broken row so many times.

    known: the births to choose from; those of 2001 unless given. The same date always makes the
    same bytes: the date seeds the choice of births. About a third of them are known without an
    ultrasound.
    """
    random = np.random.default_rng(score_date.toordinal())
    known = load_births() if known is None else known
    chosen = known.sample(births, random_state=int(random.integers(2**31)))
    unseen = random.random(births) < 1 / 3
    requests = pd.concat([chosen[~unseen], without_ultrasound(chosen[unseen])]).sort_values("key")
    lines = requests.to_csv(index=False, header=False).encode().splitlines()
    for code, template in BROKEN_ROWS.items():
        for number in range(broken):
            key = f"broken-{code}-{number}".encode()
            lines.insert(int(random.integers(len(lines) + 1)), template % key)
    parts = np.array_split(np.arange(len(lines)), files)
    return Night(
        score_date=score_date,
        files={
            f"part-{number}.csv": b"\n".join([HEADER.encode(), *(lines[i] for i in part)]) + b"\n"
            for number, part in enumerate(parts)
        },
        scored=births,
        dead={str(code): broken for code in BROKEN_ROWS},
    )


def upload_night(night: Night, folder: str, marker: str = "_SUCCESS") -> None:
    """Writes the night's files into a folder, and then the marker that says they are complete."""
    objects = open_objects(folder)
    for name, content in night.files.items():
        objects.put(f"{folder}{name}", content)
    objects.put(f"{folder}{marker}", b"")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bucket", default="nightstream-input")
    parser.add_argument("--first", type=date.fromisoformat, required=True, help="YYYY-MM-DD")
    parser.add_argument("--nights", type=int, default=1)
    parser.add_argument("--births", type=int, default=600, help="good rows a night, at most 1,000")
    parser.add_argument("--shifted", action="store_true", help="births of 2014: the nights drift")
    arguments = parser.parse_args()
    known = births_of_2014() if arguments.shifted else load_births()
    for offset in range(arguments.nights):
        day = arguments.first + timedelta(days=offset)
        night = make_night(day, arguments.births, known=known)
        folder = f"gs://{arguments.bucket}/babyweight/{night.score_date}/"
        upload_night(night, folder)
        print(f"{folder}: {night.rows} rows, {sum(night.dead.values())} of them broken")


if __name__ == "__main__":
    main()
