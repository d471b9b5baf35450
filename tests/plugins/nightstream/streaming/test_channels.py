"""What a streaming job must find in Pub/Sub."""

from __future__ import annotations

from google.pubsub_v1 import DeadLetterPolicy, Subscription

from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.streaming import build_streaming_plan
from beam_jobs.spec.lifecycle import DrainSpec
from nightstream.streaming.channels import retention_warning, subscription_problems
from tests.support.specs import a_service, an_environment

TOPIC = "projects/nightstream-test/topics/weights"
NAME = "projects/nightstream-test/subscriptions/weights-scoring-b"
PLAN = build_streaming_plan(
    a_service(streaming={"topic": "weights", "subscription": "weights-scoring"}),
    an_environment(),
    ModelPin(uri="gs://models/weights/v1", version="v1", kind="sklearn", sha256="0" * 64),
    (),
)


def problems(found: Subscription | None) -> list[str]:
    return subscription_problems(PLAN, NAME, found)


def test_a_subscription_of_the_topic_is_fine() -> None:
    assert problems(Subscription(topic=TOPIC)) == []


def test_a_missing_subscription_is_told_with_the_command_that_creates_it() -> None:
    [problem] = problems(None)

    assert problem.startswith(f"subscription {NAME} does not exist. Remedy: gcloud")
    assert f"subscriptions create {NAME} --topic={TOPIC} " in problem


def test_a_subscription_of_another_topic_is_told_with_both() -> None:
    [problem] = problems(Subscription(topic="projects/p/topics/heights"))

    assert f"is of projects/p/topics/heights, the spec says {TOPIC}. Remedy:" in problem


def test_a_dead_letter_topic_is_refused_since_requests_would_leave_by_it() -> None:
    policy = DeadLetterPolicy(dead_letter_topic="projects/p/topics/d")

    [problem] = problems(Subscription(topic=TOPIC, dead_letter_policy=policy))

    assert f"Remedy: gcloud pubsub subscriptions update {NAME}" in problem


def test_a_drain_that_may_be_cut_off_wants_what_was_acknowledged() -> None:
    drain, found = DrainSpec(after_deadline="cancel_and_seek"), Subscription(topic=TOPIC)

    warning = retention_warning(NAME, drain, found)

    assert f"Remedy: gcloud pubsub subscriptions update {NAME} --retain-acked-messages" in warning
    assert "after_deadline: wait" in warning
    assert retention_warning(NAME, DrainSpec(), found) == ""
    retaining = Subscription(topic=TOPIC, retain_acked_messages=True)
    assert retention_warning(NAME, drain, retaining) == ""
