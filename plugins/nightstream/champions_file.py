"""The ledger of champions in the object store, replaced by compare-and-swap on its generation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from beam_jobs.objects import ObjectChangedError, Objects, PreconditionError
from beam_jobs.runs.release import ReleasePlan
from nightstream.releasing.champions import Champions, champions_uri


@dataclass(frozen=True)
class ChampionsFile:
    """One service's ledger. root: the folder of its releases."""

    objects: Objects
    root: str

    def read(self) -> tuple[Champions, int]:
        """The ledger and its generation; an empty one and 0 where there is none yet."""
        uri = champions_uri(self.root)
        while True:
            info = self.objects.stat(uri)
            if info is None:
                return Champions(), 0
            try:
                data = self.objects.read(uri, info.generation)
            except ObjectChangedError:
                continue
            return Champions.model_validate_json(data), info.generation

    def add(self, plan: ReleasePlan, at: datetime) -> None:
        """Writes down that a release has moved the alias; once, however often it is called."""
        while True:
            champions, generation = self.read()
            after = champions.with_next(plan, at)
            if after == champions:
                return
            data = after.model_dump_json(indent=1).encode()
            try:
                self.objects.replace(champions_uri(self.root), data, generation)
            except PreconditionError:
                continue
            return
