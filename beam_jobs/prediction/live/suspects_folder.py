"""The hung calls of a revision, kept in the work bucket where every worker sees them."""

from __future__ import annotations

import hashlib
import logging
import threading
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from beam_jobs.objects import ObjectInfo, Objects
from beam_jobs.prediction.live.suspects import HungCall, Suspects, suspects_of

KEPT_FOR = timedelta(days=1)
"""A hung call is held against its requests for so long."""

_LOG = logging.getLogger(__name__)


class SuspectsFolder:
    """One object per hung call: `<root>/<revision>/<time>-<digest of its requests>.json`.

    What hung one revision says nothing of another, with another model.
    """

    def __init__(self, root: str, revision: str, objects: Objects) -> None:
        self._root = f"{root}/"
        self._folder = f"{root}/{revision}/"
        self._objects = objects
        self._read: dict[str, HungCall | None] = {}

    def record(self, call: HungCall) -> str:
        """Keeps a hung call; the object's URI."""
        text = call.model_dump_json()
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        uri = f"{self._folder}{call.hung_at:%Y%m%dT%H%M%S}-{digest}.json"
        self._objects.put(uri, text.encode())
        return uri

    def suspects(self) -> Suspects:
        """What all calls of this revision that hung within a day say; removes older objects.

        Not for several threads at once. Raises what the object store raises.
        """
        kept = self._without_old(self._objects.list(self._root))
        uris = [info.uri for info in kept if info.uri.startswith(self._folder)]
        self._read = {
            uri: self._read[uri] if uri in self._read else self._call(uri) for uri in uris
        }
        return suspects_of(call for call in self._read.values() if call is not None)

    def _without_old(self, objects: list[ObjectInfo]) -> list[ObjectInfo]:
        oldest = datetime.now(UTC) - KEPT_FOR
        for info in objects:
            if info.updated < oldest:
                self._objects.delete(info.uri)
        return [info for info in objects if info.updated >= oldest]

    def _call(self, uri: str) -> HungCall | None:
        """None where the object tells nothing; it is not looked at again."""
        try:
            return HungCall.model_validate_json(self._objects.read(uri))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            _LOG.warning("%s is no record of a hung call and is ignored: %s", uri, error)
            return None


class KnownSuspects:
    """The suspects as they were a few seconds ago, read by a thread of its own.

    An object store that fails, or hangs, changes nothing but how old the knowledge is.
    """

    def __init__(self, folder: SuspectsFolder, refresh_seconds: float) -> None:
        self.folder = folder
        self._refresh_seconds = refresh_seconds
        self._first_read = threading.Event()
        self._closed = threading.Event()
        self.now: Suspects = {}

    def start(self, patience_seconds: float) -> None:
        """Begins to read, and waits for the first reading, for so long at most."""
        threading.Thread(target=self._keep_reading, name="suspects", daemon=True).start()
        if not self._first_read.wait(patience_seconds):
            _LOG.warning("the suspects cannot be read yet; requests are called without them")

    def close(self) -> None:
        """Ends the reading."""
        self._closed.set()

    def _keep_reading(self) -> None:
        failed = False
        while True:
            try:
                self.now = self.folder.suspects()
                failed = False
            except Exception as error:
                if not failed:
                    _LOG.warning("suspects cannot be read, will be tried again: %r", error)
                failed = True
            self._first_read.set()
            if self._closed.wait(self._refresh_seconds):
                return
