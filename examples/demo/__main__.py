"""Real nights and live requests, scored by the real scheduler and jobs, checked to the row.

python -m examples.demo [--keep]
"""

from __future__ import annotations

import sys

from examples.demo import nights, streaming
from examples.demo.performance import perform
from examples.demo.show import Show


def play(show: Show) -> list[str]:
    """The whole story; what did not add up."""
    show.chapter("A stack on this machine: Airflow, PostgreSQL, the local cloud, Pub/Sub")
    show.begin()
    show.chapter("A model, trained on 1,175 real births")
    show.train("v1", "--alias", "champion")
    return [*nights.play_nights(show), *streaming.play_streaming(show)]


def main() -> int:
    about = str(__doc__).partition("\n")[0]
    return perform("demo", about, play, "Every row and every request is accounted for.")


if __name__ == "__main__":
    sys.exit(main())
