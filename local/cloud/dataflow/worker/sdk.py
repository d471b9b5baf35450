"""What Beam's own container does before a pipeline runs: options, file systems, main session."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any


def beam_options(options: dict[str, Any]) -> dict[str, Any]:
    """Pipeline options as Beam reads them: whole numbers came as floats; the service's own go."""
    return {
        name: _whole(value)
        for name, value in options.items()
        if name not in ("pipelineUrl", "pipelineProtoHash")
    }


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def hide_editable_sources() -> None:
    """Takes off sys.path what is neither on PYTHONPATH nor part of the interpreter.

    Code installed in editable mode would be found here and be missing in the cloud.
    """
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    roots = (sys.prefix, sys.base_prefix)
    sys.path[:] = [entry for entry in sys.path if entry in given or entry.startswith(roots)]


def use_local_bigquery() -> None:
    """Points Beam's second BigQuery client, which knows no environment variable."""
    from apache_beam.io.gcp.internal.clients import bigquery

    if host := os.environ.get("BIGQUERY_EMULATOR_HOST"):
        bigquery.BigqueryV2.BASE_URL = host.rstrip("/") + "/bigquery/v2/"


def prepare(options: dict[str, Any], home: Path) -> None:
    """Sets up this process as a worker; `home` holds the folder `staged`."""
    from apache_beam.internal import pickler
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions
    from apache_beam.options.value_provider import RuntimeValueProvider
    from apache_beam.runners.internal.names import PICKLED_MAIN_SESSION_FILE

    parsed = PipelineOptions.from_dictionary(options)
    RuntimeValueProvider.set_runtime_options(options)
    FileSystems.set_options(parsed)
    pickler.set_library(parsed.view_as(SetupOptions).pickle_library)
    use_local_bigquery()
    sys.path.append(str(home / "staged"))
    session = home / "staged" / PICKLED_MAIN_SESSION_FILE
    if session.exists():
        pickler.load_session(str(session))
