from __future__ import annotations

from collections.abc import Callable

import apache_beam as beam
from apache_beam.coders.coders import ListCoder
from apache_beam.coders.typecoders import registry

from beam_jobs.runs.dead_letter import ErrorCode
from beam_jobs.transforms.coders import BatchCoder, register_coders
from beam_jobs.transforms.elements import ScoredBatch


def test_a_batch_crosses_to_another_worker_unchanged(
    scored_batch: Callable[..., ScoredBatch],
) -> None:
    batch = scored_batch([20.0, 30.0], [ErrorCode.PATTERN])
    coder = BatchCoder()
    assert coder.decode(coder.encode(batch)) == batch


def test_the_size_of_a_batch_is_that_of_its_arrow_data(
    scored_batch: Callable[..., ScoredBatch],
) -> None:
    small, large = scored_batch([20.0]), scored_batch([20.0] * 1_000)
    coder = BatchCoder()
    assert coder.estimate_size(large) > coder.estimate_size(small) + 16 * 999


def test_beam_finds_the_coder_wherever_batches_are_declared() -> None:
    register_coders()
    assert isinstance(registry.get_coder(ScoredBatch), BatchCoder)
    in_lists = registry.get_coder(beam.typehints.List[ScoredBatch])
    assert isinstance(in_lists, ListCoder)
    assert isinstance(in_lists.value_coder(), BatchCoder)
