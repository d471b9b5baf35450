"""Where the ledger of a service's streaming jobs lies, and how it is replaced: by compare-and-swap
on its generation."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

from pydantic import ValidationError

from beam_jobs.objects import ObjectChangedError, Objects, PreconditionError
from nightstream.lifecycle.ledger import Ledger

_FORMAT: int = Ledger.model_fields["format"].default
_MARK = "write"
"""Key, beside the ledger's own, of what tells one write from another."""


class LedgerError(Exception):
    """A ledger that cannot be read; the message names the object, the fault and the remedy."""


class LedgerChangedError(Exception):
    """Somebody else wrote the ledger first; nothing was written."""


def ledger_uri(work_bucket: str, service: str) -> str:
    """The ledger of a service's streaming jobs."""
    return f"gs://{work_bucket}/{service}/streaming/ledger.json"


@dataclass(frozen=True)
class LedgerFile:
    """One service's ledger in the object store."""

    objects: Objects
    uri: str

    def read(self) -> tuple[Ledger | None, int]:
        """The ledger and its generation; None and 0 where there is none. Raises LedgerError."""
        while True:
            info = self.objects.stat(self.uri)
            if info is None:
                return None, 0
            try:
                data = self.objects.read(self.uri, info.generation)
            except ObjectChangedError:
                continue
            return _parsed(data, self.uri), info.generation

    def swap(self, ledger: Ledger, generation: int) -> int:
        """Replaces that generation, 0 being none; the new one. Raises LedgerChangedError.

        Each call writes a mark of its own: one that the client repeats, as the answer was lost, is
        known to have succeeded, and a task that is run again is not taken for it.
        """
        marked = {**ledger.model_dump(mode="json"), _MARK: uuid.uuid4().hex}
        data = json.dumps(marked, indent=1).encode()
        try:
            return self.objects.replace(self.uri, data, generation)
        except PreconditionError as error:
            info = self.objects.stat(self.uri)
            if info is not None and self._holds(data, info.generation):
                return info.generation
            raise LedgerChangedError(f"{self.uri} was changed by somebody else") from error

    def _holds(self, data: bytes, generation: int) -> bool:
        try:
            return self.objects.read(self.uri, generation) == data
        except ObjectChangedError:
            return False


def _parsed(data: bytes, uri: str) -> Ledger:
    try:
        document = json.loads(data)
        if not isinstance(document, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        raise LedgerError(f"{uri} is no ledger ({error}). Remedy: {_remedy(uri)}") from error
    written = document.get("format")
    if isinstance(written, int) and written > _FORMAT:
        raise LedgerError(
            f"{uri} was written by a newer release (format {written}; this one knows {_FORMAT}). "
            f"Remedy: deploy that release again, or, to stay with this one: {_remedy(uri)}"
        )
    document.pop(_MARK, None)
    try:
        return Ledger.model_validate(document)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3]
        )
        raise LedgerError(f"{uri} is no ledger: {faults}. Remedy: {_remedy(uri)}") from error


def _remedy(uri: str) -> str:
    return (
        f"where the bucket keeps versions, bring an earlier one back: `gcloud storage ls -a {uri}`,"
        f" then `gcloud storage cp {uri}#GENERATION {uri}`. Otherwise delete it: it is made anew "
        "from the labels of the jobs, without its history; what a person has asked for (suspend, "
        "pin) has to be asked for again"
    )
