"""Writes what the births of some nights weighed in truth, as it becomes known after the nights.

python -m examples.babyweight.labels --first 2026-11-01 --nights 3
python -m examples.babyweight.labels --first 2026-11-04 --shifted   # births of 2014
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta

from beam_jobs.objects import open_objects
from examples.babyweight.births import births_of_2014, load_births
from examples.babyweight.nights import Night, make_night

FOLDER = "babyweight/labels/"
"""Where the service's spec looks for labels."""


def labels_file(night: Night) -> bytes:
    """Night, key and true weight of each birth of the night, as CSV."""
    lines = [b"score_date,key,weight_pounds"]
    for content in night.files.values():
        for row in content.splitlines()[1:]:
            weight, *_, key = row.split(b",")
            if not key.startswith(b"broken-"):
                lines.append(b",".join((str(night.score_date).encode(), key, weight)))
    return b"\n".join(lines) + b"\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bucket", default="nightstream-input")
    parser.add_argument("--first", type=date.fromisoformat, required=True, help="YYYY-MM-DD")
    parser.add_argument("--nights", type=int, default=1)
    parser.add_argument("--births", type=int, default=600, help="as the nights were made with")
    parser.add_argument("--shifted", action="store_true", help="of nights of births of 2014")
    arguments = parser.parse_args()
    known = births_of_2014() if arguments.shifted else load_births()
    for offset in range(arguments.nights):
        day = arguments.first + timedelta(days=offset)
        content = labels_file(make_night(day, arguments.births, known=known))
        uri = f"gs://{arguments.bucket}/{FOLDER}{day}.csv"
        open_objects(uri).put(uri, content)
        print(f"{uri}: {len(content.splitlines()) - 1} labels")


if __name__ == "__main__":
    main()
