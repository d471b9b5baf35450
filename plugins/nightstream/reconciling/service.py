"""Reconciles one service with the environment's own clients."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec
    from nightstream.reconciling.report import Reconciliation


def reconcile(
    spec: ServiceSpec, environment: EnvironmentSpec, first: date, last: date
) -> Reconciliation:
    """The books of the nights, and of the days of requests, from `first` to `last`."""
    from nightstream.hooks.bigquery import bigquery_client
    from nightstream.hooks.storage import gcs_objects
    from nightstream.reconciling.counting import Tables
    from nightstream.reconciling.looking import Looker

    tables = Tables(bigquery_client(environment), environment, spec.service)
    looker = Looker(spec, environment, gcs_objects(environment), tables, datetime.now(UTC))
    return looker.look(first, last)
