"""Messages are numbered, and portioned as Pub/Sub allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.send.messages import MOST_MESSAGES, Message, numbered, portions

MOST_BYTES = 10_000_000
"""In one publish request, as Pub/Sub documents it."""
SIZES = st.lists(st.integers(0, 9_000_000) | st.integers(0, 500))


def test_payloads_come_over_and_over_under_ids_that_never_repeat() -> None:
    messages = list(numbered([b"a", b"b"], count=5, id_prefix="run1-"))
    assert [message.data for message in messages] == [b"a", b"b", b"a", b"b", b"a"]
    assert [message.id for message in messages] == [f"run1-{number}" for number in range(5)]


def test_without_a_prefix_messages_have_no_ids() -> None:
    assert list(numbered([b"a"], count=1, id_prefix=None)) == [Message(b"a")]


@given(SIZES)
def test_portions_hold_every_message_once_and_fit_a_request(sizes: list[int]) -> None:
    megabytes = b"x" * 9_000_000
    messages = [Message(megabytes[:size]) for size in sizes]
    made = list(portions(messages))
    assert [message for portion in made for message in portion] == messages
    assert all(made)
    for portion in made:
        alone = len(portion) == 1
        assert alone or sum(len(message.data) for message in portion) < MOST_BYTES


def test_a_portion_holds_a_thousand_messages_at_most() -> None:
    made = list(portions(Message(b"x") for _ in range(2 * MOST_MESSAGES + 1)))
    assert [len(portion) for portion in made] == [MOST_MESSAGES, MOST_MESSAGES, 1]
