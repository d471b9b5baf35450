"""An Airflow of the tests' own: SQLite in a temporary home, our DAGs and plugins.

Import it before anything imports Airflow: a conftest.py of every folder whose tests need Airflow
does so.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.support.local_cloud import PROJECT

ROOT = Path(__file__).parents[2]
HOME = Path(tempfile.mkdtemp(prefix="nightstream-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

_CONNECTION = {
    "conn_type": "google_cloud_platform",
    "extra": {"is_anonymous": True, "project": PROJECT, "num_retries": 1},
}

if "airflow" in sys.modules:
    raise RuntimeError("Airflow was imported before its test environment was set")
for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
    "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps(_CONNECTION),
}
