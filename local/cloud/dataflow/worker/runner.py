"""Beam's FnApiRunner on one or several workers, with metrics while it runs."""

from __future__ import annotations

from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_provision_api_pb2, beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.portability.portable_runner import JobServiceHandle

from local.cloud.dataflow.worker.metrics import JobMetrics
from local.cloud.dataflow.worker.progress import PROGRESS_SECONDS, report_progress
from local.cloud.faults.in_jobs import reach_in_job


class BatchRunner(fn_runner.FnApiRunner):
    """Runs a portable pipeline to its end.

    One worker is this very process: fused steps hand their elements over as objects, and nothing
    is encoded but what a GroupByKey or a side input stores.
    """

    def __init__(self, options: dict[str, Any], workers: int, metrics: JobMetrics) -> None:
        provision = beam_provision_api_pb2.ProvisionInfo(
            pipeline_options=JobServiceHandle.encode_pipeline_options(options)
        )
        super().__init__(
            provision_info=fn_runner.ExtendedProvisionInfo(provision),
            progress_request_frequency=PROGRESS_SECONDS if workers > 1 else None,
        )
        self._options = PipelineOptions.from_dictionary(options)
        self._num_workers = workers
        self._metrics = metrics

    def run_proto(self, pipeline: beam_runner_api_pb2.Pipeline) -> None:
        """Raises what the pipeline raises."""
        place_workers(pipeline, self._num_workers)
        report_progress(self._metrics.progress)
        self.run_via_runner_api(pipeline, self._options).wait_until_finish()

    def _execute_bundle(self, context: Any, bundle: Any, data: Any) -> Any:
        result = super()._execute_bundle(context, bundle, data)
        reach_in_job("job.bundle.processed")
        self._metrics.finished(bundle.stage.name, result.process_bundle.monitoring_infos)
        reach_in_job("job.bundle.committed")
        return result


def place_workers(pipeline: beam_runner_api_pb2.Pipeline, workers: int) -> None:
    """Replaces the container images of a pipeline by this process, or by processes beside it."""
    for environment in pipeline.components.environments.values():
        environment.urn = (
            python_urns.EMBEDDED_PYTHON if workers == 1 else python_urns.SUBPROCESS_SDK
        )
        environment.payload = b""
        del environment.dependencies[:]
