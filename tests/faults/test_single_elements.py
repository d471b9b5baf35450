"""Bundles of one message each, as Dataflow may make them; and messages of many CSV lines."""

from __future__ import annotations

import re

import pytest

from tests.faults.conftest import StartCloud
from tests.support.fuzzed_payloads import fuzzed_payloads
from tests.support.live_load import Load
from tests.support.live_service import LiveService
from tests.support.moody_service import start_moody_service
from tests.support.pubsub_emulator import PubsubEmulator

_LINE = b"k,12,2026-01-01,true,40"


@pytest.fixture(scope="module")
def lines(start_cloud: StartCloud, pubsub: PubsubEmulator) -> LiveService:
    """A job whose messages are CSV lines, one message in a bundle."""
    cloud = start_cloud("--streaming-bundle=1")
    return start_moody_service(cloud, pubsub, "lines", payload={"type": "csv", "header": False})


def test_messages_hold_no_line_or_one_or_a_thousand(lines: LiveService) -> None:
    payloads = {
        "empty": b"",
        "blank-lines": b"\n\r\n\n",
        "one": _LINE,
        "one-ended": b"\n" + _LINE + b"\r\n\n",
        "broken": b"k,12,2026-01-01,true",
        "two": _LINE + b"\n" + _LINE,
        "thousand": b"".join(b"k,%d,,,%d\n" % (n, 20 + n % 20) for n in range(1_000)),
        "thousand-broken": b"".join(b"k,%d,,,%s\n" % (n, _weeks(n)) for n in range(1_000)),
    }
    before = lines.fresh_counters()
    lines.publish(list(payloads.values()), [{"request_id": name} for name in payloads])
    found = lines.account_for(name for each in payloads.items() for name in _names(*each))
    codes = {
        "empty": "empty_message",
        "blank-lines": "empty_message",
        "broken": "column_count",
        **{f"thousand-broken-{n}": "wrong_type" for n in range(0, 1_000, 10)},
    }
    assert found.dead == codes
    assert found.scored.total() == 1 + 1 + 2 + 1_000 + 900
    counted = lines.counted_since(before, 2_007)
    assert counted["requests"] == 2_007
    assert counted["dead"] == len(codes)
    assert counted["batches"] == len(payloads) + 2  # no more than 500 rows in one


def test_a_bundle_of_one_message_is_a_call_of_the_model(lines: LiveService) -> None:
    before = lines.fresh_counters()
    with Load(lines, "single", rate=100, payload=lambda _: _LINE) as load:
        lines.wait_for_request(load.await_next())
        lines.wait_for_request(load.await_next())
    assert not lines.account_for(load.ids).dead
    counted = lines.counted_since(before, len(load.ids))
    assert counted["batches"] == counted["model_calls"] == len(load.ids)


def test_fuzzed_lines_are_all_accounted_for(lines: LiveService) -> None:
    sound = [b"\n".join([_LINE] * n) for n in range(1, 4)]
    payloads = {f"fuzzed-{n}": text for n, text in enumerate(fuzzed_payloads(300, 5, sound))}
    lines.publish(list(payloads.values()), [{"request_id": name} for name in payloads])
    found = lines.account_for(name for each in payloads.items() for name in _names(*each))
    assert found.scored.total() > 50
    assert len(set(found.dead.values())) >= 4


def _weeks(number: int) -> bytes:
    return b"forty" if number % 10 == 0 else b"40"


def _names(message: str, payload: bytes) -> list[str]:
    """Of the requests in a message: as many as it has lines that are not empty."""
    count = sum(1 for line in re.split(rb"\r\n|\n|\r", payload) if line)
    return [f"{message}-{n}" for n in range(count)] if count > 1 else [message]
