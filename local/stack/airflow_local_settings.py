"""Read by every process of the stack's Airflow, from its home.

Tasks run in forks of the scheduler: what it has imported, none of them imports again. That is about
a second of each.
"""

import importlib
import sys

__all__: list[str] = []
"""No setting is changed."""

if "scheduler" in sys.argv:
    for name in (
        "airflow.providers.google.common.hooks.base_google",
        "google.cloud.bigquery",
        "google.cloud.storage",
        "googleapiclient.discovery",
    ):
        importlib.import_module(name)
