"""What a launch's environment becomes on the command line of its pipeline, read by Beam itself."""

from __future__ import annotations

from typing import Any

import pytest
from apache_beam.options.pipeline_options import (
    DebugOptions,
    GoogleCloudOptions,
    PipelineOptions,
    WorkerOptions,
)
from hypothesis import given
from hypothesis import strategies as st

from local.cloud.dataflow.flex.environment import PIPELINE_OPTIONS, arguments_of
from local.cloud.http import ApiError

ENVIRONMENT: dict[str, Any] = {
    "additionalExperiments": ["a", "b=c"],
    "additionalPipelineOptions": ["element_processing_timeout_minutes=5"],
    "additionalUserLabels": {"team": "night", "empty": ""},
    "autoscalingAlgorithm": 1,
    "diskSizeGb": 30,
    "enableStreamingEngine": True,
    "flexrsGoal": "FLEXRS_COST_OPTIMIZED",
    "ipConfiguration": "WORKER_IP_PRIVATE",
    "kmsKeyName": "projects/p/locations/l/keyRings/r/cryptoKeys/k",
    "launcherMachineType": "n1-standard-1",
    "machineType": "n1-standard-4",
    "maxWorkers": 9,
    "network": "net",
    "numWorkers": 2,
    "sdkContainerImage": "registry.example/scoring:1",
    "serviceAccountEmail": "worker@example.com",
    "stagingLocation": "gs://scoring-work/staging",
    "subnetwork": "regions/r/subnetworks/s",
    "tempLocation": "gs://scoring-work/temp",
    "workerRegion": "us-east1",
}


def test_beam_reads_the_whole_environment() -> None:
    options = PipelineOptions(arguments_of(ENVIRONMENT, {"source": "a b=c"}))
    cloud, worker = options.view_as(GoogleCloudOptions), options.view_as(WorkerOptions)
    assert cloud.labels == ["team=night", "empty="]
    assert cloud.enable_streaming_engine is True
    assert cloud.flexrs_goal == "COST_OPTIMIZED"
    assert cloud.dataflow_kms_key == ENVIRONMENT["kmsKeyName"]
    assert cloud.service_account_email == "worker@example.com"
    assert cloud.staging_location == "gs://scoring-work/staging"
    assert cloud.temp_location == "gs://scoring-work/temp"
    assert worker.autoscaling_algorithm == "NONE"
    assert (worker.disk_size_gb, worker.machine_type) == (30, "n1-standard-4")
    assert (worker.num_workers, worker.max_num_workers) == (2, 9)
    assert (worker.network, worker.subnetwork) == ("net", "regions/r/subnetworks/s")
    assert worker.use_public_ips is False
    assert worker.sdk_container_image == "registry.example/scoring:1"
    assert worker.worker_region == "us-east1"
    assert worker.element_processing_timeout_minutes == 5
    assert options.view_as(DebugOptions).experiments == ["a", "b=c"]
    assert options.get_all_options(retain_unknown_options=True)["source"] == "a b=c"


def test_what_an_environment_leaves_open_is_no_option() -> None:
    unset = {"numWorkers": 0, "enableStreamingEngine": False, "ipConfiguration": 0, "network": ""}
    assert arguments_of({**unset, "flexrsGoal": "FLEXRS_UNSPECIFIED"}, {}) == []


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=10)))
def test_parameters_keep_their_values(parameters: dict[str, str]) -> None:
    given_names = {name: text for name, text in parameters.items() if name not in PIPELINE_OPTIONS}
    assert arguments_of({}, given_names) == [f"--{n}={text}" for n, text in given_names.items()]


def test_an_unknown_value_of_an_enum_is_refused() -> None:
    with pytest.raises(ApiError, match="ipConfiguration"):
        arguments_of({"ipConfiguration": "WORKER_IP_SECRET"}, {})
