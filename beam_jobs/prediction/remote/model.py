"""A deployed model: Arrow columns in, what became of each row out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
from apache_beam.metrics.metric import Metrics

from beam_jobs.inserts.patience import Clock
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.models import OUTPUT_TYPES
from beam_jobs.prediction.parts import joined
from beam_jobs.prediction.remote.client import EndpointClient
from beam_jobs.prediction.remote.instances import Instances, encode, sizes
from beam_jobs.prediction.remote.narrowing import KnownGood, Narrowing
from beam_jobs.prediction.remote.sending import Sender
from beam_jobs.prediction.remote.splitting import request_ranges
from beam_jobs.prediction.remote.throttle import Throttle
from beam_jobs.prediction.scoring import NONE_FAILED, Predicted, predict_rows
from beam_jobs.prediction.typical import typical_row
from beam_jobs.runs.plan import EndpointPin
from beam_jobs.spec.model import EndpointSpec

_KEYS = 2**31
"""Each batch counts its keys from a number of its own: an answer to another one is noticed."""


class RemoteModel:
    """Asks an endpoint for the predictions of whole batches; many threads may share one.

    A batch becomes as few requests as instances and bytes allow, of which so many are under way at
    a time as the spec says. The outputs are the manifest's, `deployed_model_id`, and where no
    deployed model is pinned `model_version`, null where the container does not tell it.

    Counts `endpoint_requests` and `endpoint_retries`.
    """

    def __init__(
        self,
        manifest: ModelManifest,
        pin: EndpointPin,
        spec: EndpointSpec,
        client: EndpointClient,
        clock: Clock | None = None,
    ) -> None:
        self._spec = spec
        self._clock = clock or Clock()
        self._inputs = [column.name for column in manifest.inputs]
        self._throttle = Throttle(self._clock)
        self._sender = Sender(
            client, manifest.outputs, pin, manifest.sha256, spec, self._throttle, self._clock
        )
        self._good = KnownGood(encode(typical_row(manifest), self._inputs, first_key=0))
        self._pool = ThreadPoolExecutor(spec.concurrency, "endpoint")
        self.output_schema = _output_schema(manifest, pin)

    def score(self, features: pa.RecordBatch) -> Predicted:
        """What became of each row.

        Raises ModelUnavailableError where the endpoint does not predict: then nothing is known of
        the rows. To be called by a thread that processes a bundle.
        """
        first_key = int(self._clock.chance() * _KEYS)
        instances = encode(features, self._inputs, first_key)
        spec = self._spec
        ranges = [*request_ranges(sizes(instances), spec.most_instances, spec.most_bytes)]
        requests = [instances.slice(start, end - start) for start, end in ranges]
        try:
            parts = list(self._pool.map(self._score, requests))
        finally:
            self._report()
        return _whole(ranges, parts, self.output_schema)

    def _score(self, instances: Instances) -> Predicted:
        narrowing = Narrowing(self._sender, self._good, self.output_schema)
        # Enough requests for every row to get its own verdict: none fails for its neighbours.
        return predict_rows(narrowing, instances, max_calls=2 * instances.num_rows)

    def _report(self) -> None:
        """Here, since Beam counts only what is counted by a thread that processes a bundle."""
        self._throttle.report()
        requests, retries = self._sender.tally.taken()
        Metrics.counter("nightstream", "endpoint_requests").inc(requests)
        Metrics.counter("nightstream", "endpoint_retries").inc(retries)


def _output_schema(manifest: ModelManifest, pin: EndpointPin) -> pa.Schema:
    fields = [(column.name, OUTPUT_TYPES[column.type]) for column in manifest.outputs]
    fields.append(("deployed_model_id", pa.string()))
    if pin.deployed_model_id is None:
        fields.append(("model_version", pa.string()))
    return pa.schema(fields)


def _whole(
    ranges: Sequence[tuple[int, int]], parts: Sequence[Predicted], schema: pa.Schema
) -> Predicted:
    if all(part.indices is None for part in parts):
        outputs = [part.outputs for part in parts] or [pa.RecordBatch.from_pylist([], schema)]
        return Predicted(None, pa.concat_batches(outputs), NONE_FAILED)
    rows = [np.arange(start, end) for start, end in ranges]
    return joined([*zip(rows, parts, strict=True)])
