"""Who is to blame when a request fails for good: some of its rows, or the endpoint."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from beam_jobs.prediction.remote.failures import Failure, Kind
from beam_jobs.prediction.remote.instances import Instances
from beam_jobs.prediction.remote.sending import Answer, Sender
from beam_jobs.prediction.scoring import ModelUnavailableError, UnscorableError

_FRUITLESS_REQUESTS = 7
"""A request, its halves and its quarters: when none of them passes, it is not for single rows."""


@dataclass
class KnownGood:
    """An instance that was answered lately, by which the endpoint is proven alive."""

    instance: Instances | None = None


class Narrowing:
    """The endpoint, as one request sees it that may be narrowed to the rows it fails for.

    A row is blamed only once a row that is known to be good was answered after it failed: else the
    endpoint fails, and no row is a dead letter for that.
    """

    def __init__(self, sender: Sender, good: KnownGood, output_schema: pa.Schema) -> None:
        self._sender = sender
        self._good = good
        self._fruitless = 0
        self._unproven: Failure | None = None
        self.output_schema = output_schema

    def predict(self, features: Instances) -> pa.RecordBatch:
        """Raises UnscorableError where rows are to blame, else ModelUnavailableError."""
        outcome = self._sender.send(features)
        if isinstance(outcome, Failure):
            raise self._verdict(outcome)
        self._good.instance = features.take(pa.array([0]))
        return self._with_provenance(outcome)

    def confirm(self) -> None:
        """To be called at the end. Raises ModelUnavailableError where rows were blamed in vain."""
        if self._unproven is not None and not self._is_alive():
            raise self._unavailable(self._unproven)

    def _verdict(self, failure: Failure) -> Exception:
        if failure.kind in (Kind.DENIED, Kind.ASTRAY):
            return self._unavailable(failure)
        if failure.kind is Kind.BROKEN and self._good.instance is None:
            # Its halves may do: what is good is not known before something passes.
            self._unproven = failure
            self._fruitless += 1
            if self._fruitless >= _FRUITLESS_REQUESTS:
                return self._unavailable(failure)
        elif failure.kind is not Kind.REFUSED and not self._is_alive():
            return self._unavailable(failure)
        return UnscorableError(failure.message, failure.code)

    def _is_alive(self) -> bool:
        good = self._good.instance
        return good is not None and isinstance(self._sender.send(good), Answer)

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
