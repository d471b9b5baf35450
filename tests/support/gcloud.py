"""`gcloud dataflow` against a local cloud."""

from __future__ import annotations

import os
import subprocess

from tests.support.dataflow_cloud import LOCATION, DataflowCloud
from tests.support.local_cloud import PROJECT


def gcloud_dataflow(cloud: DataflowCloud, *arguments: str, region: bool = True) -> str:
    """What `gcloud dataflow ARGUMENTS` prints; some commands take no region."""
    place = [f"--region={LOCATION}"] if region else []
    return subprocess.run(
        ["gcloud", "dataflow", *arguments, *place, "--quiet"],
        env={
            **os.environ,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_DATAFLOW": cloud.server.url + "/",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": cloud.server.url + "/storage/v1/",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_PROJECT": PROJECT,
            "CLOUDSDK_CONFIG": str(cloud.server.data.with_name("gcloud")),
        },
        check=True,
        capture_output=True,
        text=True,
    ).stdout
