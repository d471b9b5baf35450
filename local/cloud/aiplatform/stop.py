"""Ends all deployed models of a local cloud, also when its server is gone: asks, waits, kills.

    python -m local.cloud.aiplatform.stop --data DIR

The server itself leaves them running when it ends; one that starts again serves them again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from local.cloud.aiplatform.serving.deployments import end, serving_root
from local.cloud.aiplatform.serving.folder import ServingFolder


def stop_deployments(data: Path) -> int:
    """Ends the processes of all deployed models. Returns how many ran."""
    root = serving_root(data)
    folders = [ServingFolder(path) for path in root.iterdir()] if root.exists() else []
    running = [folder for folder in folders if folder.held()]
    end(running)
    return len(running)


def main() -> None:
    parser = argparse.ArgumentParser(description="Ends all deployed models of a local cloud.")
    parser.add_argument("--data", type=Path, required=True, help="data folder of the server")
    count = stop_deployments(parser.parse_args().data)
    print(f"{count} deployed model(s) stopped")


if __name__ == "__main__":
    main()
