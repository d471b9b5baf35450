"""Whether a streaming job finds the subscription and topics that its spec names.

They hold the requests of others, so they are never created here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from beam_jobs.runs.streaming import StreamingPlan

if TYPE_CHECKING:
    from google.pubsub_v1 import Subscription

    from nightstream.hooks.pubsub import PubSubHook


def channel_problems(plan: StreamingPlan, pubsub: PubSubHook) -> list[str]:
    """What is wrong with the plan's subscription and response topic, each with its remedy."""
    problems = subscription_problems(plan, pubsub.subscription(plan.subscription))
    if plan.response_topic and not pubsub.has_topic(plan.response_topic):
        problems.append(
            f"topic {plan.response_topic} does not exist. Remedy: gcloud pubsub topics create "
            f"{plan.streaming.response_topic} --project={plan.project}, or drop "
            "streaming.response_topic from the spec"
        )
    return problems


def subscription_problems(plan: StreamingPlan, found: Subscription | None) -> list[str]:
    """What is wrong with the subscription that a plan names; found: None where there is none."""
    name, topic = plan.subscription, f"projects/{plan.project}/topics/{plan.streaming.topic}"
    if found is None:
        return [
            f"subscription {name} does not exist. Remedy: gcloud pubsub subscriptions create "
            f"{plan.streaming.subscription} --project={plan.project} --topic={topic} "
            "--ack-deadline=60 --retain-acked-messages --expiration-period=never"
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
            f"{plan.streaming.subscription} --project={plan.project} --clear-dead-letter-policy"
        )
    return problems
