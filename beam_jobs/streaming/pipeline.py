"""The job's pipeline."""

from __future__ import annotations

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage, WriteToPubSub
from apache_beam.ml.inference.base import RunInference
from apache_beam.pvalue import PCollection

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.requests import Requests
from beam_jobs.prediction.live.handler import LiveModelHandler
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.account_live import AccountLive
from beam_jobs.transforms.answer import Answer
from beam_jobs.transforms.coders import register_coders
from beam_jobs.transforms.collect import Collect, ReadMessages
from beam_jobs.transforms.elements import ScoredRequests, ValidBatch
from beam_jobs.transforms.parse import ParseMessages
from beam_jobs.transforms.predict import settle_requests
from beam_jobs.transforms.profile_live import ProfileLive
from beam_jobs.transforms.write_live import WriteLive


def score_requests(pipeline: beam.Pipeline, plan: StreamingPlan, subscription: str) -> None:
    """Scores what the subscription delivers, for as long as the job runs.

    All of it is one fused stage without state: a message is acknowledged once each of its requests
    stands in a table, whether the job is drained, cancelled or killed.
    """
    messages = pipeline | "Read" >> ReadMessages(subscription)
    written = score_messages(messages, plan) | "Write" >> beam.ParDo(
        WriteLive(plan, subscription)
    ).with_output_types(ScoredRequests)
    written | "Account" >> beam.ParDo(AccountLive())
    written | "Profile" >> beam.ParDo(ProfileLive(plan))
    if plan.response_topic is not None:
        answers = written | "Answer" >> beam.ParDo(Answer()).with_output_types(PubsubMessage)
        answers | "Send answers" >> WriteToPubSub(plan.response_topic, with_attributes=True)


def score_messages(messages: PCollection, plan: StreamingPlan) -> PCollection:
    """Serialised messages → ScoredRequests."""
    register_coders()
    model: LiveModelHandler[ValidBatch[Requests], ScoredRequests] = LiveModelHandler(
        plan, settle_requests
    )
    return (
        messages
        | "Collect" >> beam.ParDo(Collect(plan.streaming)).with_output_types(MessageBatch)
        | "Parse and validate" >> beam.ParDo(ParseMessages(plan)).with_output_types(ValidBatch)
        | "Predict" >> RunInference(model).with_output_types(ScoredRequests)
    )
