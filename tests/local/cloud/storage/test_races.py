"""Many writers of one object: preconditions decide, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.api_core import exceptions
from google.cloud import storage
from google.cloud.storage.exceptions import InvalidResponse

THREADS = 12


def one_winner(attempt: Callable[[int], object]) -> list[int]:
    """The numbers of the threads whose attempt was not refused."""

    def won(number: int) -> bool:
        try:
            attempt(number)
        except (exceptions.PreconditionFailed, exceptions.NotFound):
            return False
        except InvalidResponse as error:
            if error.response.status_code != 412:
                raise
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        return [number for number, it in enumerate(pool.map(won, range(THREADS))) if it]


def test_steps_of_a_counter_taken_with_preconditions_are_all_counted(
    objects: storage.Bucket,
) -> None:
    objects.blob("counter").upload_from_string("0")

    def step(_: int) -> None:
        while True:
            blob = objects.get_blob("counter")
            # Pinned to the generation that was read: another writer may be faster.
            try:
                count = int(blob.download_as_text())
                blob.upload_from_string(str(count + 1), if_generation_match=blob.generation)
                return
            except (exceptions.PreconditionFailed, exceptions.NotFound):
                continue

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(step, range(24)))
    assert objects.blob("counter").download_as_text() == "24"


@pytest.mark.parametrize("how", ["delete", "compose", "rewrite", "patch", "resumable"])
def test_of_many_who_ask_for_the_same_generation_one_wins(
    objects: storage.Bucket, how: str
) -> None:
    part = objects.blob("part")
    part.upload_from_string("part")
    live = objects.blob("x")
    live.upload_from_string("first")
    generation = live.generation

    def attempt(number: int) -> None:
        mine = objects.blob("x")
        match how:
            case "delete":
                mine.delete(if_generation_match=generation)
            case "compose":
                mine.compose([part], if_generation_match=generation)
            case "rewrite":
                mine.rewrite(part, if_generation_match=generation)
            case "patch":
                mine.metadata = {"winner": str(number)}
                mine.patch(if_metageneration_match=1)
            case "resumable":
                mine.chunk_size = 256 * 1024
                with mine.open("w", if_generation_match=generation) as file:
                    file.write(str(number))

    winners = one_winner(attempt)
    assert len(winners) == 1
    left = objects.get_blob("x")
    if how == "patch":
        assert left.metadata == {"winner": str(winners[0])}
    elif how == "resumable":
        assert left.download_as_text() == str(winners[0])
    else:
        assert (left is None) == (how == "delete")
