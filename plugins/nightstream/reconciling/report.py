"""The books as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nightstream.reconciling.books import DayBooks, Difference, NightBooks
from nightstream.reconciling.nights import night_differences
from nightstream.reconciling.requests import day_differences


@dataclass(frozen=True)
class Reconciliation:
    """The books of one service for some days."""

    service: str
    nights: Sequence[NightBooks]
    days: Sequence[DayBooks] = ()

    @property
    def differences(self) -> list[Difference]:
        return [
            *(found for night in self.nights for found in night_differences(night)),
            *(found for day in self.days for found in day_differences(day)),
        ]

    def text(self) -> str:
        """Tables of what was counted, then every difference, or that there is none."""
        lines = [f"{self.service}: nights", _row("night", *_NIGHT), *map(_night, self.nights)]
        if self.days:
            lines += ["", f"{self.service}: requests", _row("day", *_DAY), *map(_day, self.days)]
        found = self.differences
        lines += ["", *(f"- {difference}" for difference in found)]
        lines.append(f"{len(found)} differences" if found else "zero differences: the books close")
        return "\n".join(lines)


_NIGHT = ("in", "predictions", "dead letters", "repaired", "published", "")
_DAY = ("requests", "scored", "dead", "rows", "sent again", "")


def _night(books: NightBooks) -> str:
    stands = books.ledger.published
    counted = books.counted
    return _row(
        books.night.isoformat(),
        counted.rows_in if counted else "-",
        sum(books.predictions.values()),
        sum(books.dead_letters.values()),
        books.repaired,
        f"{stands.intent.sequence} times" if stands else "no",
        _mark(night_differences(books)),
    )


def _day(books: DayBooks) -> str:
    return _row(
        books.day.isoformat(),
        books.scored + books.dead,
        books.scored,
        books.dead,
        books.scored_rows + books.dead_rows,
        books.sent_again,
        _mark(day_differences(books)),
    )


def _mark(differences: Sequence[Difference]) -> str:
    return "DIFFERS" if differences else "closes"


def _row(first: str, *cells: int | str) -> str:
    shown = (f"{cell:,}" if isinstance(cell, int) else cell for cell in cells)
    return f"{first:<12}" + "".join(f"{cell:>14}" for cell in shown)
