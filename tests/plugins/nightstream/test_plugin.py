"""What Airflow's plugin loader makes of the plugins folder."""

from __future__ import annotations

from airflow import plugins_manager

from nightstream.links import DataflowJobLink, TableLink, job_url, table_url
from tests.support.specs import an_environment


def test_the_links_are_registered_and_the_package_itself_is_left_alone() -> None:
    plugins, errors = plugins_manager._get_plugins()

    assert errors == {}
    (ours,) = (plugin for plugin in plugins if plugin.name == "nightstream")
    assert {type(link) for link in ours.operator_extra_links} == {DataflowJobLink, TableLink}
    assert [plugin.name for plugin in plugins if "nightstream" in str(plugin.source)] == [
        "nightstream"
    ]


def test_a_link_leads_to_where_the_environment_says() -> None:
    environment = an_environment(
        dataflow={"console": "http://here/{project}/{region}/{job_id}"},
        airflow={"table_console": "http://here/{project}/{dataset}/{table}"},
    )

    assert job_url(environment, "j-1") == "http://here/nightstream-test/us-central1/j-1"
    assert table_url(environment, "t") == "http://here/nightstream-test/nightstream/t"


def test_a_task_that_leaves_no_address_has_no_link() -> None:
    assert DataflowJobLink().get_link(object(), ti_key=None) == ""
