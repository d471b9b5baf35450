"""python -m nightstream.lifecycle.table > docs/lifecycle-decisions.md"""

from __future__ import annotations

from nightstream.lifecycle.table.page import page

if __name__ == "__main__":
    print(page(), end="")
