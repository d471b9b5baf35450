"""A model that raises."""

from __future__ import annotations

from tests.support.live_load import publish_together
from tests.support.live_service import LiveService


def test_only_the_request_that_the_model_raises_on_is_dead(live: LiveService) -> None:
    before = live.fresh_counters()
    names = publish_together(live, "raising", [*range(20, 45), -3, *range(20, 44)])
    found = live.account_for(names)
    assert found.dead == {"raising-25": "prediction_failed"}
    letters = live.rows(live.plan.tables.dead_letters, "request_id, error_message, stage")
    (letter,) = [row for row in letters if row["request_id"] == "raising-25"]
    assert letter["stage"] == "predict"
    assert "ValueError" in letter["error_message"]
    assert "cannot score -3" in letter["error_message"]
    counted = live.counted_since(before, 50)
    assert counted["model_calls"] == 1
    assert counted["dead_prediction_failed"] == counted["dead"] == 1
