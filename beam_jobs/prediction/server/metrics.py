"""What the server counts, in Prometheus' text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from beam_jobs.prediction.manifest import ModelManifest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class ServerMetrics:
    """The measurements of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "nightstream_predict_requests",
            "Prediction requests answered, by HTTP status",
            ["code"],
            registry=self._registry,
        )
        self._instances = Counter(
            "nightstream_predict_instances", "Instances predicted", registry=self._registry
        )
        self._seconds = Histogram(
            "nightstream_predict_seconds",
            "From a prediction request's first byte to its answer",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.under_way = Gauge(
            "nightstream_predict_under_way", "Requests being answered", registry=self._registry
        )
        self._model = Info("nightstream_model", "The model that answers", registry=self._registry)

    def serves(self, manifest: ModelManifest) -> None:
        """The model is loaded."""
        self._model.info(
            {
                "name": manifest.name,
                "version": manifest.version,
                "kind": manifest.kind,
                "sha256": manifest.sha256,
            }
        )

    def answered(self, status: int, seconds: float, instances: int) -> None:
        """One prediction request got its answer."""
        self._requests.labels(str(status)).inc()
        self._seconds.observe(seconds)
        self._instances.inc(instances)

    def text(self) -> bytes:
        """All of it, for a scraper."""
        return generate_latest(self._registry)
