"""Objects on Google Cloud Storage."""

from __future__ import annotations

from beam_jobs.objects import Objects, open_objects
from beam_jobs.spec import EnvironmentSpec


def gcs_objects(environment: EnvironmentSpec) -> Objects:
    """The object store, with the credentials of the environment's Airflow connection."""
    from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
    from google.cloud import storage

    hook = GoogleBaseHook(gcp_conn_id=environment.airflow.gcp_conn_id)
    client = storage.Client(project=environment.project, credentials=hook.get_credentials())
    return open_objects("gs://", client)
