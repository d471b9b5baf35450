"""Who is to blame when a request fails for good: some of its rows, or the endpoint."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from beam_jobs.prediction.remote.failures import Failure, Kind
from beam_jobs.prediction.remote.instances import Instances
from beam_jobs.prediction.remote.sending import Answer, Sender
from beam_jobs.prediction.scoring import ModelUnavailableError, UnscorableError

_PROOF_SECONDS = 30.0
"""How long an endpoint may be busy until it has proven that it is alive."""


@dataclass
class KnownGood:
    """An instance that was answered lately, by which the endpoint is proven alive.

    Before there is one, a row that is typical of the model's training data.
    """

    instance: Instances


class Narrowing:
    """The endpoint, as one request sees it that may be narrowed to the rows it fails for.

    A row is blamed only once a row that is known to be good was answered after it failed: else the
    endpoint fails, and no row is a dead letter for that.
    """

    def __init__(self, sender: Sender, good: KnownGood, output_schema: pa.Schema) -> None:
        self._sender = sender
        self._good = good
        self.output_schema = output_schema

    def predict(self, features: Instances) -> pa.RecordBatch:
        """Raises UnscorableError where rows are to blame, else ModelUnavailableError."""
        outcome = self._sender.send(features, self._sender.spec.retry_seconds)
        if isinstance(outcome, Failure):
            raise self._verdict(outcome)
        self._good.instance = features.take(pa.array([0]))
        return self._with_provenance(outcome)

    def _verdict(self, failure: Failure) -> Exception:
        match failure.kind:
            case Kind.DENIED | Kind.ASTRAY:
                return self._unavailable(failure)
            case Kind.BUSY | Kind.BROKEN if not self._is_alive():
                return self._unavailable(failure)
            case _:
                return UnscorableError(failure.message, failure.code)

    def _is_alive(self) -> bool:
        return isinstance(self._sender.send(self._good.instance, _PROOF_SECONDS), Answer)

    def _unavailable(self, failure: Failure) -> ModelUnavailableError:
        remedy = failure.remedy or "see the endpoint's logs and its replicas in the Cloud console"
        return ModelUnavailableError(
            f"{self._sender.pin.name} does not predict: {failure.message}. Remedy: {remedy}"
        )

    def _with_provenance(self, answer: Answer) -> pa.RecordBatch:
        """The outputs, and the columns that say whose they are."""
        rows = answer.outputs.num_rows
        said = {
            "deployed_model_id": answer.deployed_model_id,
            "model_version": answer.model_version,
        }
        named = self.output_schema.names[answer.outputs.num_columns :]
        labels = [pa.repeat(pa.scalar(said[name], pa.string()), rows) for name in named]
        return pa.RecordBatch.from_arrays(
            [*answer.outputs.columns, *labels], schema=self.output_schema
        )
