"""Reading topics: the job's process makes the subscriptions through which it reads them."""

from __future__ import annotations

import grpc
from apache_beam.portability.api import beam_runner_api_pb2

from local.cloud.dataflow.folder import JobFolder, TopicSubscription
from local.cloud.dataflow.subscriber import make
from local.cloud.dataflow.topic_subscriptions import subscriptions_for
from local.cloud.dataflow.worker.failure import Failure
from local.cloud.dataflow.worker.streaming import pipeline as pipelines
from local.cloud.dataflow.worker.streaming.compatibility import renaming


def make_subscriptions(
    folder: JobFolder, pipeline: beam_runner_api_pb2.Pipeline, emulator: str
) -> list[TopicSubscription]:
    """The subscriptions of the steps that read topics; of a job that is to be replaced, those to
    the same topics. Raises Failure for a topic that does not exist."""
    job, replaced = folder.job() or {}, folder.replaces()
    subscriptions = subscriptions_for(
        pipelines.topics(pipeline),
        job,
        emulator,
        replaced.subscriptions() if replaced else (),
        renaming(job.get("transformNameMapping", {})),
    )
    # Written first: what is made is known, and goes with the job however it ends.
    folder.write_subscriptions(subscriptions)
    make_all(subscriptions)
    return subscriptions


def make_all(subscriptions: list[TopicSubscription]) -> None:
    """Creates those that do not exist. Raises Failure for a topic that does not exist."""
    for subscription in subscriptions:
        try:
            make(subscription)
        except grpc.RpcError as error:
            why = error.details() if isinstance(error, grpc.Call) else error
            raise Failure(f"cannot subscribe to {subscription.topic}: {why}") from error
