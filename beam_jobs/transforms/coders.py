"""How batches cross from one worker to another, and how Beam learns their size."""

from __future__ import annotations

import pickle
from typing import Any

from apache_beam.coders.coders import Coder
from apache_beam.coders.typecoders import registry

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.transforms.elements import ScoredBatch, ScoredRequests, ValidBatch


class BatchCoder(Coder):
    """Pickles; a batch's size is told without.

    Beam samples the sizes of elements all through a job. By default it encodes them to find out,
    which for batches costs a tenth of the whole job.
    """

    def encode(self, value: Any) -> bytes:
        return pickle.dumps(value, protocol=5)

    def decode(self, encoded: bytes) -> Any:
        return pickle.loads(encoded)

    def estimate_size(self, value: Any) -> int:
        size: int = value.nbytes
        return size

    def to_type_hint(self) -> Any:
        """Asked for by runners that take a pipeline from its proto."""
        return Any

    def is_deterministic(self) -> bool:
        return False


def register_coders() -> None:
    """Tells Beam of them; to be called before a pipeline of batches is built."""
    for element in (MessageBatch, ValidBatch, ScoredBatch, ScoredRequests):
        registry.register_coder(element, BatchCoder)
