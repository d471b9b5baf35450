"""Whether a streaming job finds its subscription and the topics that its spec names.

They hold the requests of others. A subscription is made here only beside one that serves.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.spec.lifecycle import DrainSpec

if TYPE_CHECKING:
    from google.pubsub_v1 import Subscription

    from nightstream.hooks.pubsub import PubSubHook


log = logging.getLogger(__name__)


def channel_problems(
    plan: StreamingPlan, subscription: str, drain: DrainSpec, pubsub: PubSubHook
) -> list[str]:
    """What keeps the plan's job from reading the subscription (full name) and from answering, each
    with its remedy. What does not keep it from that goes to the log."""
    found = pubsub.subscription(subscription)
    problems = subscription_problems(plan, subscription, found)
    if found is not None and (warning := retention_warning(subscription, drain, found)):
        log.warning("%s", warning)
    if plan.response_topic and not pubsub.has_topic(plan.response_topic):
        problems.append(
            f"topic {plan.response_topic} does not exist. Remedy: gcloud pubsub topics create "
            f"{plan.streaming.response_topic} --project={plan.project}, or drop "
            "streaming.response_topic from the spec"
        )
    return problems


def subscription_problems(plan: StreamingPlan, name: str, found: Subscription | None) -> list[str]:
    """What is wrong with the subscription of that full name; found: None where there is none."""
    topic = f"projects/{plan.project}/topics/{plan.streaming.topic}"
    if found is None:
        return [
            f"subscription {name} does not exist. Remedy: gcloud pubsub subscriptions create "
            f"{name} --topic={topic} --ack-deadline=60 --retain-acked-messages "
            "--expiration-period=never"
        ]
    problems = []
    if found.topic != topic:
        problems.append(
            f"subscription {name} is of {found.topic}, the spec says {topic}. Remedy: name the "
            "subscription's own topic in streaming.topic, or create another subscription"
        )
    if found.dead_letter_policy.dead_letter_topic:
        problems.append(
            f"subscription {name} has a dead-letter topic, by which requests would leave it unseen "
            "(Dataflow does not support it). Remedy: gcloud pubsub subscriptions update "
            f"{name} --clear-dead-letter-policy"
        )
    return problems


def retention_warning(name: str, drain: DrainSpec, found: Subscription) -> str:
    """What will go wrong once a drain hangs; empty where nothing will."""
    if drain.after_deadline != "cancel_and_seek" or found.retain_acked_messages:
        return ""
    return f"{no_retention(name)}, or set streaming.lifecycle.drain.after_deadline: wait"


def no_retention(subscription: str) -> str:
    """Why a subscription cannot be brought back to a time, and the remedy."""
    return (
        f"subscription {subscription} does not keep what was acknowledged, so it cannot be brought "
        "back to before a drain that hangs. Remedy: gcloud pubsub subscriptions update "
        f"{subscription} --retain-acked-messages"
    )
