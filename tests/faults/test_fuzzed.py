"""Ten thousand messages that nobody thought of."""

from __future__ import annotations

import random
from collections import Counter

from tests.support.fuzzed_payloads import fuzzed_attributes, fuzzed_payloads
from tests.support.live_service import RUNNING, LiveService

_COUNT = 10_000


def test_the_job_outlives_fuzzed_messages_and_accounts_for_each(live: LiveService) -> None:
    before, workers = live.fresh_counters(), [process.pid for process in live.processes()]
    chance = random.Random(4)
    ids = [f"fuzzed-{n}" for n in range(_COUNT)]
    attributes = [{"request_id": name, **fuzzed_attributes(chance)} for name in ids]
    live.publish(fuzzed_payloads(_COUNT, 4), attributes)
    found = live.account_for(ids)
    assert found.scored.total() + len(found.dead) == _COUNT
    assert found.scored.total() > _COUNT / 5
    assert len(set(found.dead.values())) >= 8, Counter(found.dead.values())

    counted = live.counted_since(before, _COUNT)
    by_code = {name: n for name, n in counted.items() if name.startswith("dead_") and n}
    assert by_code == {f"dead_{code}": n for code, n in Counter(found.dead.values()).items()}
    assert counted["requests"] == _COUNT
    assert counted["scored"] == found.scored.total()
    assert counted["dead"] == len(found.dead)
    assert live.state() == RUNNING
    assert [process.pid for process in live.processes()] == workers
