"""The processes of deployed models, as the server sees them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import local
from local.cloud.aiplatform.documents import precondition
from local.cloud.aiplatform.serving.folder import Container, ServingFolder
from local.cloud.supervised import spawn

POLL_SECONDS = 0.05
STOP_SECONDS = 15.0
MOST_EXITS = 3
"""A container that has ended so often without ever being healthy will never be."""


def serving_root(data: Path) -> Path:
    """Where the folders of deployed models lie, of a server with this data folder."""
    return data / "aiplatform" / "deployed"


class Deployments:
    """Starts, finds and stops them; each is led by a supervisor, which outlives the server."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, deployed_id: str) -> ServingFolder:
        return ServingFolder(self._root / deployed_id)

    def ensure(self, deployed_id: str, container: Callable[[], Container]) -> ServingFolder:
        """Starts the model's process, unless it runs."""
        folder = self.folder(deployed_id)
        if not folder.held():
            made = container()
            folder = ServingFolder.create(folder.path, made)
            source = str(Path(local.__file__).parent.parent)
            spawn(
                "local.cloud.aiplatform.serving.supervisor",
                folder,
                folder.log,
                {**made.environment, "PYTHONPATH": source},
            )
        return folder

    def await_healthy(self, deployed_id: str, seconds: float, closing: Callable[[], bool]) -> None:
        """Until its health route has answered 200. Raises ApiError with the log's end."""
        folder = self.folder(deployed_id)
        deadline = time.monotonic() + seconds
        while not (status := folder.status()).served and not closing():
            if status.exits >= MOST_EXITS:
                raise _failed("Model server exited unexpectedly.", folder)
            if not folder.held():
                raise _failed("Model server was killed.", folder)
            if time.monotonic() > deadline:
                raise _failed(f"Model server never became ready in {seconds:g} s.", folder)
            time.sleep(POLL_SECONDS)

    def stop(self, deployed_id: str) -> None:
        """Ends the model's process; requests under way are answered first."""
        end([self.folder(deployed_id)])

    def discard(self, deployed_id: str) -> None:
        """Stops it, and forgets it."""
        self.stop(deployed_id)
        shutil.rmtree(self.folder(deployed_id).path, ignore_errors=True)


def end(folders: list[ServingFolder]) -> None:
    """Asks the supervisors to end, waits, kills."""
    for folder in folders:
        if folder.path.exists():
            folder.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(folder.held() for folder in folders):
        time.sleep(POLL_SECONDS)
    for folder in folders:
        folder.kill()


def _failed(what: str, folder: ServingFolder) -> Exception:
    """As the service tells it; there the log is in Cloud Logging."""
    return precondition(f"{what} Model server logs: {folder.log}\n{folder.last_words()}".strip())
