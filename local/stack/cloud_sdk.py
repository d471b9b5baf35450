"""What the stack takes from the Google Cloud SDK, where that is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

_EMULATOR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*.jar"


def sdk_folder() -> Path | None:
    """Where the SDK on the PATH lies."""
    program = shutil.which("gcloud")
    return Path(program).resolve().parents[1] if program else None


def bigquery_discovery() -> Path | None:
    """The description of BigQuery that `bq` reads in place of Google's."""
    sdk = sdk_folder()
    path = sdk and sdk / "platform" / "bq" / "discovery_next" / "bigquery.json"
    return path if path and path.exists() else None


def pubsub_emulator_jar(sdk: Path) -> Path | None:
    """The Pub/Sub emulator's program; the newest where there are several."""
    return max(sdk.glob(_EMULATOR), key=lambda path: path.stat().st_mtime, default=None)
