"""Tells Airflow of the buttons that Nightstream's tasks carry."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from nightstream.links import DataflowJobLink, LedgerLink, ReportLink, TableLink


class NightstreamPlugin(AirflowPlugin):
    name = "nightstream"
    operator_extra_links = [DataflowJobLink(), LedgerLink(), ReportLink(), TableLink()]
