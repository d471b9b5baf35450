"""A streaming job declared, upgraded, rolled back, suspended and resumed, under 200 requests/s.

python -m examples.tour [--keep]
"""

from __future__ import annotations

import sys

from examples.demo.performance import perform
from examples.tour.chapters import play
from examples.tour.declaration import declare


def main() -> int:
    about = str(__doc__).partition("\n")[0]
    return perform("tour", about, play, "Every request is accounted for, exactly once.", declare)


if __name__ == "__main__":
    sys.exit(main())
