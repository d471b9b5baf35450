"""The job process: one attempt to run a staged pipeline.

    python -m local.cloud.dataflow.worker.job FOLDER HOME

HOME is the attempt's scratch folder. The file `ready` in it says that everything is staged,
`failure.txt` why the attempt failed; the exit code says what the supervisor should make of it.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from local.cloud.dataflow.folder import JobFolder
from local.cloud.dataflow.outcome import EXIT_DONE, EXIT_FAILED, EXIT_LOST
from local.cloud.dataflow.worker import garbage
from local.cloud.dataflow.worker.commands import Commands
from local.cloud.dataflow.worker.failure import Failure
from local.cloud.dataflow.worker.lifeline import die_with_parent
from local.cloud.dataflow.worker.logs import start_logging
from local.cloud.dataflow.worker.packages import Installation
from local.cloud.dataflow.worker.sdk import beam_options, hide_editable_sources, prepare
from local.cloud.faults.in_jobs import reach_in_job

_TRACEBACK_LINES = 40
_VALIDATE_ONLY = "graph_validate_only"
"""The service option, or experiment, by which a client asks whether a job would be accepted, also
as an update."""


def run(folder: JobFolder, home: Path, commands: Commands) -> None:
    """Fetches, installs, runs. Raises what the pipeline raises."""
    reach_in_job("job.started")
    job = folder.job() or {}
    staged_options: dict[str, Any] = job["environment"]["sdkPipelineOptions"]["options"]
    options = beam_options(staged_options)
    pipeline = _stage(job["environment"], staged_options, home)
    plan = folder.plan()
    if plan.streaming:
        from local.cloud.dataflow.worker.streaming.update import check_update

        check_update(folder, pipeline)
    if _is_to_be_validated_only(job["environment"]):
        folder.add_message(
            "BASIC",
            f"Workflow job: {job['id']} succeeded validation. "
            f"Marking {_VALIDATE_ONLY} job as Done.",
        )
        return
    if plan.workers == 1:
        prepare(options, home)
    if plan.streaming:
        from local.cloud.dataflow.worker.streaming.run import run_streaming

        run_streaming(folder, home, pipeline, options, commands)
    else:
        _run_batch(folder, home, pipeline, options, plan.workers)
    reach_in_job("job.finished")


def _run_batch(
    folder: JobFolder, home: Path, pipeline: Any, options: dict[str, Any], workers: int
) -> None:
    from local.cloud.dataflow.worker import processes
    from local.cloud.dataflow.worker.metrics import JobMetrics
    from local.cloud.dataflow.worker.runner import BatchRunner

    processes.register(lambda cause: _lost(home, cause), folder.path, home)
    garbage.take_up()
    (home / "ready").touch()
    reach_in_job("job.ready")
    with JobMetrics(folder, pipeline) as metrics:
        BatchRunner(options, workers, metrics).run_proto(pipeline)


def _is_to_be_validated_only(environment: dict[str, Any]) -> bool:
    asked = [*environment.get("serviceOptions", []), *environment.get("experiments", [])]
    return _VALIDATE_ONLY in asked


def _stage(environment: dict[str, Any], options: dict[str, Any], home: Path) -> Any:
    """Puts staged packages in place and returns the pipeline; Beam is imported meanwhile.

    What an earlier process of the job has staged here is used again.
    """
    from local.cloud.dataflow.worker import staging

    kept = home / "pipeline.pb"
    installation = None
    if not kept.exists():
        staging.fetch_packages(environment, home / "staged")
        installation = Installation(home / "staged", home / "site")
    from apache_beam.portability.api import beam_runner_api_pb2

    serialised = kept.read_bytes() if kept.exists() else staging.fetch_pipeline(options)
    pipeline = beam_runner_api_pb2.Pipeline.FromString(serialised)
    if installation:
        installation.finish()
    staging.keep(serialised, kept)
    return pipeline


def _lost(home: Path, cause: str) -> None:
    """Ends this process on the spot: what waits for the lost worker would never return."""
    (home / "failure.txt").write_text(cause)
    logging.info("%s", cause)
    os._exit(EXIT_LOST)


def _cause(error: BaseException) -> str:
    """The end of the traceback, where the error stands; the log has all of it."""
    # Beam raises what a worker raised as a RuntimeError with the worker's traceback for its text.
    text = str(error) if "Traceback" in str(error) else traceback.format_exc()
    lines = text.strip().splitlines()
    return "\n".join(["Traceback, its last lines:", *lines[-_TRACEBACK_LINES:]])


def main(path: str, home: str) -> None:
    garbage.put_off()
    commands = Commands()
    die_with_parent(commands.hear)
    folder = JobFolder(Path(path))
    start_logging(folder)
    hide_editable_sources()
    code = EXIT_DONE
    try:
        run(folder, Path(home), commands)
    except Failure as failure:
        (Path(home) / "failure.txt").write_text(str(failure))
        code = EXIT_FAILED
    except BaseException as error:
        traceback.print_exc()
        (Path(home) / "failure.txt").write_text(_cause(error))
        code = EXIT_FAILED
    sys.stderr.flush()
    # Threads of the pipeline or of gRPC may never end by themselves.
    os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
