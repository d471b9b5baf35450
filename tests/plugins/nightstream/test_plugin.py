"""What Airflow's plugin loader makes of the plugins folder."""

from __future__ import annotations

from airflow import plugins_manager

from nightstream.links import (
    DataflowJobLink,
    LedgerLink,
    ReportLink,
    TableLink,
    job_url,
    object_url,
    table_url,
)
from nightstream.streaming_dag import streaming_dag
from tests.support.specs import a_service, an_environment


def test_the_links_are_registered_and_the_package_itself_is_left_alone() -> None:
    plugins, errors = plugins_manager._get_plugins()

    assert errors == {}
    (ours,) = (plugin for plugin in plugins if plugin.name == "nightstream")
    links = {DataflowJobLink, LedgerLink, ReportLink, TableLink}
    assert {type(link) for link in ours.operator_extra_links} == links
    assert [plugin.name for plugin in plugins if "nightstream" in str(plugin.source)] == [
        "nightstream"
    ]


def test_a_link_leads_to_where_the_environment_says() -> None:
    environment = an_environment(
        dataflow={"console": "http://here/{project}/{region}/{job_id}"},
        airflow={
            "table_console": "http://here/{project}/{dataset}/{table}",
            "object_console": "http://here/{bucket}/{name}?{encoded_name}",
        },
    )

    assert job_url(environment, "j-1") == "http://here/nightstream-test/us-central1/j-1"
    assert table_url(environment, "t") == "http://here/nightstream-test/nightstream/t"
    assert object_url(environment, "gs://b/c/d.json") == "http://here/b/c/d.json?c%2Fd.json"


def test_a_round_leads_to_its_ledger_whether_or_not_there_is_a_job() -> None:
    streaming = {"topic": "heights", "subscription": "heights-scoring"}
    dag = streaming_dag(a_service("heights", streaming=streaming), an_environment())

    link = LedgerLink().get_link(dag.get_task("observe"), ti_key=None)

    assert link == (
        "https://console.cloud.google.com/storage/browser/_details/scoring-work/heights/streaming/"
        "ledger.json?project=nightstream-test"
    )


def test_a_task_that_leaves_no_address_has_no_link() -> None:
    assert DataflowJobLink().get_link(object(), ti_key=None) == ""
