"""Reads what streaming workers counted."""

from __future__ import annotations

import json
import logging
from datetime import datetime

from beam_jobs.runs.profiles import LiveProfile, live_profiles_table
from beam_jobs.spec import EnvironmentSpec
from nightstream.tables import table_id

log = logging.getLogger(__name__)

_HISTOGRAMS = ("features", "predictions")


def profiles_between(
    environment: EnvironmentSpec, service: str, start: datetime, end: datetime
) -> list[LiveProfile]:
    """The profiles whose windows ended after `start`, and by `end`; each once.

    There are none where the table is not there: no job that has it was ever launched.
    """
    from google.api_core.exceptions import NotFound
    from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

    from nightstream.hooks.bigquery import bigquery_client

    columns = ", ".join(f"`{name}`" for name in LiveProfile.model_fields)
    table = table_id(environment, live_profiles_table(service))
    query = (
        f"SELECT {columns} FROM `{table}` WHERE window_end > @start AND window_end <= @end "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY worker, sequence ORDER BY window_end) = 1"
    )
    config = QueryJobConfig(
        query_parameters=[
            ScalarQueryParameter("start", "TIMESTAMP", start),
            ScalarQueryParameter("end", "TIMESTAMP", end),
        ]
    )
    client = bigquery_client(environment)
    try:
        rows = client.query(query, job_config=config).result()
        return [_profile(dict(row.items())) for row in rows]
    except NotFound as error:
        log.info("nothing was counted: %s", error.message)
        return []


def _profile(row: dict[str, object]) -> LiveProfile:
    histograms = {name: json.loads(str(row[name])) for name in _HISTOGRAMS}
    return LiveProfile.model_validate(row | histograms)
