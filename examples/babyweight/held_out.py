"""Writes the births that candidates are judged by: real ones, which no model has learned from.

python -m examples.babyweight.held_out --bucket nightstream-input
"""

from __future__ import annotations

import argparse

from beam_jobs.objects import open_objects
from examples.babyweight.births import held_out_births

NAME = "babyweight/held_out.csv"
"""The object that the service's spec names."""


def held_out_file() -> bytes:
    """A file by the contract of the service's input, with the true weights."""
    return held_out_births().to_csv(index=False).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bucket", default="nightstream-input")
    uri = f"gs://{parser.parse_args().bucket}/{NAME}"
    content = held_out_file()
    open_objects(uri).put(uri, content)
    print(f"{uri}: {len(content.splitlines()) - 1} births with their weights")


if __name__ == "__main__":
    main()
