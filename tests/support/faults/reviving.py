"""A local cloud that comes back by itself after a crash, as a service does."""

from __future__ import annotations

from tests.support.background import Background
from tests.support.local_cloud import LocalCloud


class Reviving(Background):
    """Starts the cloud again, on its port and its data, whenever it has ended within the block."""

    def __init__(self, cloud: LocalCloud) -> None:
        super().__init__()
        self._cloud = cloud
        self.crashes = 0

    def _run(self) -> None:
        while not self._over.wait(0.05):
            if self._cloud.ended:
                self.crashes += 1
                self._cloud.start()
