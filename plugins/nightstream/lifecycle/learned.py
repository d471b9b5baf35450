"""A ledger, and what is new in it."""

from __future__ import annotations

from dataclasses import dataclass

from nightstream.lifecycle.ledger import Entry, Ledger


@dataclass(frozen=True)
class Learned:
    """The ledger with what was seen in it, and a sentence on each thing that is new."""

    ledger: Ledger
    news: tuple[str, ...] = ()
    alarming: tuple[str, ...] = ()
    """Those of the news that a person should hear of."""

    def adding(self, news: str, *, alarming: bool = False, **changes: object) -> Learned:
        return Learned(
            self.ledger.model_copy(update=changes),
            (*self.news, news),
            (*self.alarming, news) if alarming else self.alarming,
        )

    def with_entry(
        self, entry: Entry, news: str, *, alarming: bool = False, **changes: object
    ) -> Learned:
        entries = {**self.ledger.entries, entry.revision.id: entry}
        return self.adding(news, alarming=alarming, entries=entries, **changes)
