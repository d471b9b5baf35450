"""The Beam options that every job is launched with: where it runs, as whom, how large, under which
name and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from beam_jobs.spec import EnvironmentSpec
from nightstream.jobs.job import label_values


class Size(Protocol):
    """How large a job is, as its spec declares it."""

    @property
    def workers(self) -> int: ...

    @property
    def max_workers(self) -> int: ...

    @property
    def machine_type(self) -> str | None: ...


def dataflow_options(
    environment: EnvironmentSpec, name: str, labels: Mapping[str, str], size: Size
) -> list[str]:
    """All options of a job.

    labels: what Nightstream says of the job; the environment's own come with them.
    """
    region, workers, most = environment.dataflow.region, size.workers, size.max_workers
    return [
        *lasting_options(environment, size.machine_type),
        *launch_options(environment, region, name, labels, workers, most),
    ]


def lasting_options(environment: EnvironmentSpec, machine_type: str | None) -> list[str]:
    """What a job runs on, and as whom: the same however often it is launched."""
    dataflow = environment.dataflow
    chosen = {
        "machine_type": machine_type,
        "sdk_container_image": dataflow.worker_image,
        "service_account_email": dataflow.service_account,
        "subnetwork": dataflow.subnetwork,
    }
    return [
        *(f"--{name}={value}" for name, value in chosen.items() if value is not None),
        *([] if dataflow.public_ips else ["--no_use_public_ips"]),
        *_labels(dataflow.labels),
        *_more(environment),
    ]


def launch_options(
    environment: EnvironmentSpec,
    region: str,
    name: str,
    labels: Mapping[str, str],
    workers: int,
    most: int,
) -> list[str]:
    """What is of the moment: whom to ask, where it runs, its name and size, and the labels that
    Nightstream sets, which win over the environment's where they come later.

    most: workers that it may have; at least `workers`, with which it begins.
    """
    return [
        "--runner=DataflowRunner",
        f"--job_name={name}",
        *_place(environment, region),
        f"--num_workers={workers}",
        f"--max_num_workers={max(workers, most)}",
        *_labels(labels),
    ]


def _place(environment: EnvironmentSpec, region: str) -> list[str]:
    endpoint, work = environment.dataflow.endpoint, f"gs://{environment.buckets.work}/dataflow"
    return [
        f"--project={environment.project}",
        f"--region={region}",
        f"--temp_location={work}/temp",
        f"--staging_location={work}/staging",
        *([f"--dataflow_endpoint={endpoint}", "--no_auth"] if endpoint else []),
    ]


def _labels(labels: Mapping[str, str]) -> list[str]:
    return [f"--labels={key}={value}" for key, value in label_values(labels).items()]


def _more(environment: EnvironmentSpec) -> list[str]:
    """The environment's further options: true is a flag, false is left out."""
    options = environment.dataflow.submit_options.items()
    flags = [f"--{name}" for name, value in options if value is True]
    return flags + [f"--{name}={v}" for name, v in options if not isinstance(v, bool)]
