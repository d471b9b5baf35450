"""What of a dead letter lies in GCS: payloads too large for a row, letters their table refuses."""

from __future__ import annotations

import contextlib
import hashlib
import logging

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.inserts.rows import InsertRow
from beam_jobs.objects import ObjectExistsError, Objects

LARGEST_PAYLOAD_BYTES = 1024 * 1024
LONGEST_MESSAGE = 4_096
"""Characters of an error message."""

log = logging.getLogger(__name__)


class DeadStorage:
    """Objects named by what they hold, so that a request that comes again writes none anew."""

    def __init__(self, root: str, objects: Objects) -> None:
        self._payloads = f"{root}/payloads"
        self._letters = f"{root}/letters"
        self._objects = objects

    def bounded(self, letters: pa.RecordBatch) -> pa.RecordBatch:
        """The same letters, each small enough for a row.

        A payload that is too large is null, and `payload_uri` names its object: a part of it in
        the row would invite to replay the part.
        """
        message = pc.utf8_slice_codeunits(letters.column("error_message"), 0, LONGEST_MESSAGE)
        letters = _with_column(letters, "error_message", message)
        sizes = pc.binary_length(letters.column("payload"))
        large = pc.fill_null(pc.greater(sizes, LARGEST_PAYLOAD_BYTES), False)
        if not pc.any(large).as_py():
            return letters
        payloads = letters.column("payload").to_pylist()
        uris: list[str | None] = [None] * len(payloads)
        for index in pc.indices_nonzero(large).to_pylist():
            uris[index] = self._keep(self._payloads, payloads[index])
            payloads[index] = None
        letters = _with_column(letters, "payload", pa.array(payloads, pa.binary()))
        return _with_column(letters, "payload_uri", pa.array(uris, pa.string()))

    def set_aside(self, letter: InsertRow, reason: str) -> None:
        """Keeps a letter that its own table refuses: the last place where it can be found."""
        row = letter["json"]
        uri = self._keep(self._letters, orjson.dumps(row), ".json")
        log.error(
            "the dead-letter table refuses the letter of request %.128s: %s. "
            "Remedy: read it at %s, and mend the table",
            row["request_id"],
            reason,
            uri,
        )

    def _keep(self, folder: str, content: bytes, suffix: str = "") -> str:
        uri = f"{folder}/{hashlib.sha256(content).hexdigest()}{suffix}"
        with contextlib.suppress(ObjectExistsError):
            self._objects.create(uri, content)
        return uri


def _with_column(letters: pa.RecordBatch, name: str, column: pa.Array) -> pa.RecordBatch:
    index = letters.schema.get_field_index(name)
    return letters.set_column(index, letters.schema.field(index), column)
