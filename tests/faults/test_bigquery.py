"""BigQuery that fails, for a while or for single rows."""

from __future__ import annotations

import time

import pytest

from tests.support.live_load import Load
from tests.support.live_service import RUNNING, LiveService

_INSERT_ALL = "/insertAll"


@pytest.mark.parametrize(
    "seconds", [4, pytest.param(60, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
def test_an_outage_delays_requests_and_rows_refused_after_it_are_dead(
    live: LiveService, seconds: float
) -> None:
    with Load(live, f"outage-{seconds}") as load:
        live.wait_for_request(load.await_next())
        live.cloud.inject(kind="error", path=_INSERT_ALL, code=503)
        time.sleep(seconds)
        live.cloud.heal()
        predictions = f"/{live.plan.tables.predictions}{_INSERT_ALL}"
        live.cloud.inject(kind="row", path=predictions, row='-[0-9]*7"')
        first_refused = len(load.ids)
        live.wait_for_request(load.await_next())
    found = live.account_for(load.ids)
    assert set(found.dead.values()) == {"write_refused"}
    assert all(name.endswith("7") for name in found.dead)
    late = {name for name in load.ids[first_refused:] if name.endswith("7")}
    assert late <= found.dead.keys()
    assert live.state() == RUNNING
    assert live.fresh_counters()["write_retries"] > 0


def test_inserts_that_are_cut_off_are_repeated(live: LiveService) -> None:
    for when in ("before", "after"):
        live.cloud.inject(kind="reset", path=_INSERT_ALL, share=0.4, when=when)
    with Load(live, "reset") as load:
        time.sleep(3)
    live.cloud.heal()
    assert not live.account_for(load.ids).dead


def test_slow_inserts_lose_nothing(live: LiveService) -> None:
    live.cloud.inject(kind="latency", path=_INSERT_ALL, seconds=1)
    with Load(live, "slow") as load:
        time.sleep(3)
    live.cloud.heal()
    assert not live.account_for(load.ids).dead
