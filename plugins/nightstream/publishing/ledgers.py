"""Where ledgers lie, and how one is replaced: by compare-and-swap on its generation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from beam_jobs.objects import ObjectChangedError, Objects, PreconditionError
from nightstream.publishing.ledger import Ledger


class LedgerChangedError(Exception):
    """Somebody else wrote the ledger first; nothing was written."""


def ledger_uri(work_bucket: str, service: str, score_date: date) -> str:
    """The ledger of one night."""
    return f"gs://{work_bucket}/{service}/published/{score_date.isoformat()}.json"


@dataclass(frozen=True)
class LedgerFile:
    """One night's ledger in the object store."""

    objects: Objects
    uri: str

    def read(self) -> tuple[Ledger, int]:
        """The ledger and its generation; an empty one and 0 where there is none yet."""
        while True:
            info = self.objects.stat(self.uri)
            if info is None:
                return Ledger(), 0
            try:
                data = self.objects.read(self.uri, info.generation)
            except ObjectChangedError:
                continue
            return Ledger.model_validate_json(data), info.generation

    def swap(self, ledger: Ledger, generation: int) -> int:
        """Replaces that generation; the new one. Raises LedgerChangedError.

        A refused write may be our own, repeated by the client after its answer was lost.
        """
        data = ledger.model_dump_json(indent=1).encode()
        try:
            return self.objects.replace(self.uri, data, generation)
        except PreconditionError as error:
            current, current_generation = self.read()
            if current == ledger:
                return current_generation
            raise LedgerChangedError(f"{self.uri} was changed by somebody else") from error
