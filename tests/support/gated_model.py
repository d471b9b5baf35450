"""A model that waits, in loading and in predicting, for as long as a test likes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HELD_WEEKS = 44.0


class GatedModel:
    """weight = weeks / 5. Loads once `folder/load` exists; scores HELD_WEEKS once
    `folder/predict` does, and notes in `folder` that it waits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._wait_for("load")

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        weeks = frame["weeks"].to_numpy()
        if (weeks == HELD_WEEKS).any():
            (self.folder / "held").touch()
            self._wait_for("predict")
        return weeks / 5

    def _wait_for(self, gate: str) -> None:
        while not (self.folder / gate).exists():
            time.sleep(0.01)
