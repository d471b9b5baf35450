"""Messages that nobody thought of; the same ones for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support.live_load import a_sound_request
from tests.support.models import HANGING_WEEKS

_TELLING = (
    *(b"", b" ", b"\n", b"\r\n", b"\x00", b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\x80", b"\\ud800"),
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"'", b"-", b"e999", b"0x1", b"NaN"),
    *(b"null", b"true", b'"weeks"', b'"weeks": -5', b'"number": 1.5', b'"day": "2026-02-30"'),
)
_HANGING = str(int(HANGING_WEEKS)).encode()

_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
_names = st.sampled_from(["id", "number", "day", "first", "weeks", "more"])
_payloads = (
    st.binary(max_size=40)
    | _values.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(_names, _values, min_size=1).map(lambda value: json.dumps(value).encode())
)


def fuzzed_payloads(count: int, number: int, sound: Sequence[bytes] = ()) -> list[bytes]:
    """So many payloads for seed `number`: a twentieth is drawn by Hypothesis, a quarter sound, and
    the rest are these with some bytes out of place. None makes a moody model hang.

    sound: what a sound payload may be, where it is no JSON.
    """
    chance = random.Random(number)
    drawn = _drawn(count // 20, number)
    sound = sound or [a_sound_request(n) for n in range(25)]
    found = [payload for payload in drawn if _HANGING not in payload]
    while len(found) < count:
        payload = chance.choice(sound if chance.random() < 0.8 else drawn)
        if chance.random() < 0.7:
            payload = _spoiled(payload, chance.choice(drawn), chance)
        if _HANGING not in payload:
            found.append(payload)
    chance.shuffle(found)
    return found


def fuzzed_attributes(chance: random.Random) -> dict[str, str]:
    """Attributes of a message beside its name; most have none."""
    if chance.random() < 0.8:
        return {}
    name = chance.choice(
        ["event_time", "nightstream-published-at", "nightstream-position", "nightstream-message-id"]
    )
    texts = ["", " ", "0", "-1", "1e5", "noon", "2026-01-01", "2026-13-01T00:00:00Z", "é" * 500]
    return {name: chance.choice([*texts, str(chance.getrandbits(70)), "0001-01-01T00:00:00+14:00"])}


def _drawn(count: int, number: int) -> list[bytes]:
    found: list[bytes] = []

    @seed(number)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_payloads)
    def draw(payload: bytes) -> None:
        found.append(payload)

    draw()
    return found


def _spoiled(payload: bytes, other: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        start = chance.randint(0, len(payload))
        stop = min(len(payload), start + chance.choice([0, 0, 1, 5]))
        put = chance.choice([chance.choice(_TELLING), chance.randbytes(2), other])
        payload = payload[:start] + put + payload[stop:]
    return payload
