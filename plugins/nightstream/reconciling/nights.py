"""What is wrong with the books of a night. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nightstream.publishing.ledger import Publication
from nightstream.reconciling.books import Counted, Difference, NightBooks, Recorded

_NAMED = 3
"""So many objects are named; the others are counted."""


def night_differences(books: NightBooks) -> list[Difference]:
    """Empty where inputs = predictions + dead letters - replayed, whoever is asked."""
    return list(_differences(books))


def _differences(books: NightBooks) -> Iterator[Difference]:
    where = f"night {books.night}"
    if books.ledger.intent is not None:
        yield Difference(
            where,
            f"run {books.ledger.intent.publisher.run_key} began to publish it and has not ended",
            "wait for its task publish, or clear that task",
        )
        return
    published = books.ledger.published
    if published is None:
        yield from _unpublished(where, books)
        return
    night = published.intent.night
    stands = Counted(night.rows_scored + night.rows_dead, night.rows_scored, night.rows_dead)
    yield from _manifest(where, books, stands)
    yield from _partitions(where, books, stands)
    yield from _revisions(where, books)
    yield from _recorded(where, books.recorded, published, stands)
    yield from _inputs(where, books)


def _unpublished(where: str, books: NightBooks) -> Iterator[Difference]:
    if books.due and books.unread:
        yield Difference(
            where,
            f"not published, and {len(books.unread)} input files wait: {_listed(books.unread)}",
            "run the night",
        )
    for what, rows in (("predictions", books.predictions), ("dead letters", books.dead_letters)):
        if rows:
            yield Difference(
                where,
                f"its partition of {what} holds {sum(rows.values()):,} rows that nobody published",
                "run the night, which replaces them",
            )


def _manifest(where: str, books: NightBooks, stands: Counted) -> Iterator[Difference]:
    if books.counted is None:
        yield Difference(
            where, "the manifest of what stands is gone", "run the night again with force"
        )
    elif books.counted != stands:
        yield Difference(
            where,
            f"its ledger says {_said(stands)}, its manifest {_said(books.counted)}",
            "run the night again with force",
        )


def _partitions(where: str, books: NightBooks, stands: Counted) -> Iterator[Difference]:
    for what, rows, expected in (
        ("predictions", books.predictions, stands.rows_scored),
        ("dead letters", books.dead_letters, stands.rows_dead),
    ):
        found = sum(rows.values())
        if what in books.expired and not found:
            continue
        if found != expected:
            yield Difference(
                where,
                f"{expected:,} {what} were published, the partition holds {found:,} "
                f"({found - expected:+,})",
                "run the night again with force",
            )
        yield from _strangers(where, what, rows, books)


def _strangers(
    where: str, what: str, rows: Mapping[str, int], books: NightBooks
) -> Iterator[Difference]:
    for run_key, count in sorted(rows.items()):
        if books.run_keys and run_key not in books.run_keys:
            yield Difference(
                where,
                f"{count:,} {what} are of run {run_key}, which is no part of what stands",
                "run the night again with force",
            )


def _revisions(where: str, books: NightBooks) -> Iterator[Difference]:
    for revision in books.revisions:
        gained = revision.after.rows_scored - revision.before.rows_scored
        if revision.before.rows_in != revision.after.rows_in:
            yield Difference(
                where,
                f"replay {revision.run_key} has {revision.after.rows_in:,} rows in, what it "
                f"revised has {revision.before.rows_in:,}",
                "run the night again with force",
            )
        if gained != revision.remembered:
            yield Difference(
                where,
                f"replay {revision.run_key} repaired {gained:,} dead letters, the table of "
                f"replays tells of {revision.remembered:,}",
                "clear the task remember of that replay",
            )


def _recorded(
    where: str, recorded: tuple[Recorded, ...], published: Publication, stands: Counted
) -> Iterator[Difference]:
    sequence, remedy = published.intent.sequence, "clear the task record of that DAG run"
    by = f"{published.intent.publisher.dag_id}, run {published.intent.publisher.run_id}"
    ours = [row for row in recorded if row.sequence == sequence]
    later = [row.sequence for row in recorded if row.sequence > sequence]
    if later:
        yield Difference(
            where,
            f"scoring_runs tells of publication {max(later)}, the ledger of {sequence}",
            "do not remove ledgers; run the night again with force",
        )
    if len(ours) != 1:
        yield Difference(
            where,
            f"scoring_runs has {len(ours)} rows of publication {sequence} ({by}), not one",
            remedy,
        )
    for row in ours:
        if (row.run_key, row.rows) != (published.run_key, stands):
            yield Difference(
                where,
                f"scoring_runs says run {row.run_key} with {_said(row.rows)}, the ledger run "
                f"{published.run_key} with {_said(stands)}",
                remedy,
            )


def _inputs(where: str, books: NightBooks) -> Iterator[Difference]:
    for files, what in ((books.unread, "were not read"), (books.changed, "were changed since")):
        if files:
            yield Difference(
                where,
                f"{len(files)} input files {what} by what stands: {_listed(files)}",
                "run the night again",
            )


def _said(rows: Counted) -> str:
    return f"{rows.rows_in:,} in = {rows.rows_scored:,} scored + {rows.rows_dead:,} dead"


def _listed(uris: tuple[str, ...]) -> str:
    more = len(uris) - _NAMED
    return ", ".join(uris[:_NAMED]) + (f" and {more} more" if more > 0 else "")
