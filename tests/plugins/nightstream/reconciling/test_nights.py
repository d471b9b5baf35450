"""The books of a night: which of them contradict each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightstream.publishing.ledger import Intent, Ledger, Night, Publication, Publisher
from nightstream.reconciling.books import Counted, NightBooks, Recorded, Revision
from nightstream.reconciling.nights import night_differences
from nightstream.reconciling.report import Reconciliation

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 6, tzinfo=UTC)


def ledger(scored: int, dead: int, run_key: str = "key") -> Ledger:
    publisher = Publisher(
        dag_id="d", run_id="r", try_number=1, run_key=run_key, manifest_uri="gs://w/1/manifest.json"
    )
    night = Night(
        service="weights", score_date=DAY, rows_scored=scored, rows_dead=dead, model_version="v1"
    )
    intent = Intent.begin(publisher, night, 1, NOW)
    return Ledger(published=Publication(intent=intent, published_at=NOW))


def closed(scored: int = 7, dead: int = 3, **changes: Any) -> NightBooks:
    """Books that agree, but for the changes."""
    rows = Counted(scored + dead, scored, dead)
    books = NightBooks(
        night=DAY,
        due=True,
        ledger=ledger(scored, dead),
        counted=rows,
        run_keys=frozenset({"key"}),
        predictions={"key": scored} if scored else {},
        dead_letters={"key": dead} if dead else {},
        recorded=(Recorded(1, "key", rows),),
    )
    return replace(books, **changes)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_books_that_agree_close(scored: int, dead: int) -> None:
    assert night_differences(closed(scored, dead)) == []


def test_a_replay_that_repaired_two_letters_keeps_the_books_closed() -> None:
    before, after = Counted(10, 5, 5), Counted(10, 7, 3)
    revision = Revision("key", before, after, remembered=2)
    books = closed(
        revisions=(revision,),
        run_keys=frozenset({"key", "first"}),
        predictions={"first": 5, "key": 2},
    )
    assert night_differences(books) == []
    assert books.repaired == 2
    assert "zero differences: the books close" in Reconciliation("weights", [books]).text()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a row is missing in the table": ({"predictions": {"key": 6}}, "holds 6 (-1)"),
    "a row is there twice": ({"predictions": {"key": 8}}, "holds 8 (+1)"),
    "dead letters are gone": ({"dead_letters": {}}, "3 dead letters were published"),
    "rows of another run": ({"predictions": {"key": 6, "x": 1}}, "1 predictions are of run x"),
    "no manifest": ({"counted": None}, "the manifest of what stands is gone"),
    "a manifest of other rows": ({"counted": Counted(11, 7, 3)}, "its manifest 11 in"),
    "nothing recorded": ({"recorded": ()}, "scoring_runs has 0 rows"),
    "recorded twice": ({"recorded": closed().recorded * 2}, "scoring_runs has 2 rows"),
    "recorded otherwise": (
        {"recorded": (Recorded(1, "key", Counted(9, 7, 2)),)},
        "scoring_runs says run key with 9 in",
    ),
    "the ledger is behind": (
        {"recorded": (*closed().recorded, Recorded(2, "later", Counted(1, 1, 0)))},
        "scoring_runs tells of publication 2",
    ),
    "an input that nobody read": ({"unread": ("gs://in/b.csv",)}, "gs://in/b.csv"),
    "an input that changed": ({"changed": ("gs://in/a.csv",)}, "were changed since"),
    "a replay that was not remembered": (
        {"revisions": (Revision("key", Counted(10, 5, 5), Counted(10, 7, 3), 0),)},
        "repaired 2 dead letters, the table of replays tells of 0",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_every_contradiction_is_named_with_its_remedy(what: str) -> None:
    changes, said = WRONG[what]
    found = night_differences(closed(**changes))
    assert found
    assert any(said in str(difference) for difference in found)
    assert all("night 2026-01-05" in str(one) and "Remedy: " in str(one) for one in found)


def test_a_night_under_way_is_named_and_not_judged() -> None:
    under_way = closed(predictions={}, counted=None)
    published = under_way.ledger.published
    assert published is not None
    books = replace(under_way, ledger=Ledger(intent=published.intent))
    [difference] = night_differences(books)
    assert "has not ended" in str(difference)


def test_a_night_that_is_due_has_to_be_published_once_its_files_are_there() -> None:
    nothing = NightBooks(night=DAY, due=True, ledger=Ledger())
    assert night_differences(nothing) == []
    waiting = replace(nothing, unread=("gs://in/a.csv", "gs://in/b.csv"))
    assert "not published, and 2 input files wait" in str(night_differences(waiting)[0])
    assert night_differences(replace(waiting, due=False)) == []
    stray = replace(nothing, predictions={"x": 4})
    assert "4 rows that nobody published" in str(night_differences(stray)[0])


def test_what_has_expired_is_not_missed() -> None:
    expired = frozenset({"dead letters"})
    assert night_differences(closed(dead_letters={}, expired=expired)) == []
    assert night_differences(closed(predictions={}, expired=expired)) != []
    assert night_differences(closed(dead_letters={"key": 1}, expired=expired)) != []
