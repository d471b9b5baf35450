"""What a streaming job must find in Pub/Sub."""

from __future__ import annotations

from google.pubsub_v1 import DeadLetterPolicy, Subscription

from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.streaming import build_streaming_plan
from nightstream.streaming.channels import subscription_problems
from tests.support.specs import a_service, an_environment

TOPIC = "projects/nightstream-test/topics/weights"
PLAN = build_streaming_plan(
    a_service(streaming={"topic": "weights", "subscription": "weights-scoring"}),
    an_environment(),
    ModelPin(uri="gs://models/weights/v1", version="v1", kind="sklearn", sha256="0" * 64),
    (),
)


def test_a_subscription_of_the_topic_is_fine() -> None:
    assert subscription_problems(PLAN, Subscription(topic=TOPIC)) == []


def test_a_missing_subscription_is_told_with_the_command_that_creates_it() -> None:
    [problem] = subscription_problems(PLAN, None)

    assert problem.startswith(f"subscription {PLAN.subscription} does not exist. Remedy: gcloud")
    assert f"create weights-scoring --project=nightstream-test --topic={TOPIC} " in problem


def test_a_subscription_of_another_topic_is_told_with_both() -> None:
    [problem] = subscription_problems(PLAN, Subscription(topic="projects/p/topics/heights"))

    assert f"is of projects/p/topics/heights, the spec says {TOPIC}. Remedy:" in problem


def test_a_dead_letter_topic_is_refused_since_requests_would_leave_by_it() -> None:
    found = Subscription(
        topic=TOPIC, dead_letter_policy=DeadLetterPolicy(dead_letter_topic="projects/p/topics/d")
    )

    [problem] = subscription_problems(PLAN, found)

    assert "Remedy: gcloud pubsub subscriptions update weights-scoring" in problem
