"""The real births of the example; where they come from: data/PROVENANCE.md."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pandas as pd

FEATURES = ["is_male", "mother_age", "plurality", "gestation_weeks"]
TARGET = "weight_pounds"
SEXES = ["False", "True", "Unknown"]
PLURALITIES = [
    "Single(1)",
    "Twins(2)",
    "Triplets(3)",
    "Quadruplets(4)",
    "Quintuplets(5)",
    "Multiple(2+)",
]

_DATA = Path(__file__).parent / "data"


def load_births() -> pd.DataFrame:
    """1,449 births of North Carolina, 2001, in the columns of the service's contract."""
    births = pd.read_csv(_DATA / "ncbirths_babyweight.csv", dtype={"is_male": "object"})
    return births.astype({"mother_age": "float64"})


def births_of_2014() -> pd.DataFrame:
    """1,000 births of the United States, 2014, in the same columns: the mothers are older.

    Nothing is told of twins, so every birth counts as a single one.
    """
    births = pd.read_csv(_DATA / "births14.csv")
    return pd.DataFrame(
        {
            TARGET: births["weight"],
            "is_male": np.where(births["sex"] == "male", "True", "False"),
            "mother_age": births["mage"].astype("float64"),
            "plurality": "Single(1)",
            "gestation_weeks": births["weeks"].astype("float64"),
            "key": [f"us2014-{number:04}" for number in range(1, len(births) + 1)],
        }
    )


def training_births() -> pd.DataFrame:
    """The 1,175 births that models learn from."""
    births = load_births()
    return births[~_held_out(births)].reset_index(drop=True)


def held_out_births() -> pd.DataFrame:
    """The 274 births that no model has seen: candidates are judged by them."""
    births = load_births()
    return births[_held_out(births)].reset_index(drop=True)


def _held_out(births: pd.DataFrame) -> pd.Series:
    """One birth in five, by its key: so it is the same ones for ever, whatever is added."""
    return births["key"].map(lambda key: zlib.crc32(key.encode()) % 5 == 0)


def without_ultrasound(births: pd.DataFrame) -> pd.DataFrame:
    """The same births as known without an ultrasound: no sex, and twins or more not told apart."""
    single = births["plurality"] == "Single(1)"
    return births.assign(is_male="Unknown", plurality=np.where(single, "Single(1)", "Multiple(2+)"))
