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
    """The options, those of the environment last.

    labels: what Nightstream says of the job; the environment's own come with them.
    """
    every = label_values({**environment.dataflow.labels, **labels})
    return [
        "--runner=DataflowRunner",
        f"--job_name={name}",
        *_place(environment),
        *_workers(size, environment),
        *(f"--labels={key}={value}" for key, value in every.items()),
        *_more(environment),
    ]


def _place(environment: EnvironmentSpec) -> list[str]:
    dataflow = environment.dataflow
    work = f"gs://{environment.buckets.work}/dataflow"
    endpoint = dataflow.endpoint
    return [
        f"--project={environment.project}",
        f"--region={dataflow.region}",
        f"--temp_location={work}/temp",
        f"--staging_location={work}/staging",
        *([f"--dataflow_endpoint={endpoint}", "--no_auth"] if endpoint else []),
    ]


def _workers(size: Size, environment: EnvironmentSpec) -> list[str]:
    dataflow = environment.dataflow
    chosen = {
        "num_workers": size.workers,
        "max_num_workers": max(size.workers, size.max_workers),
        "machine_type": size.machine_type,
        "sdk_container_image": dataflow.worker_image,
        "service_account_email": dataflow.service_account,
        "subnetwork": dataflow.subnetwork,
    }
    options = [f"--{name}={value}" for name, value in chosen.items() if value is not None]
    return options if dataflow.public_ips else [*options, "--no_use_public_ips"]


def _more(environment: EnvironmentSpec) -> list[str]:
    """The environment's further options: true is a flag, false is left out."""
    options = environment.dataflow.submit_options.items()
    flags = [f"--{name}" for name, value in options if value is True]
    return flags + [f"--{name}={v}" for name, v in options if not isinstance(v, bool)]
