"""Globs over object names."""

from __future__ import annotations

import pytest

from nightstream.inputs.globs import matches


@pytest.mark.parametrize(
    ("name", "glob", "named"),
    [
        ("a.csv", "*.csv", True),
        ("shop-1/a.csv", "*.csv", True),
        ("shop-1/a.csv", "**", True),
        ("a.csv.gz", "*.csv", False),
        ("a.csv", "shop-*/*.csv", False),
        ("shop-1/a.csv", "shop-*/*.csv", True),
        ("shop-1/deep/a.csv", "shop-*/*.csv", False),
        ("shop-1/deep/a.csv", "shop-*/**/*.csv", True),
        ("shop-1/a.csv", "shop-*/**/*.csv", True),
        ("a.csv", "**/*.csv", True),
        ("a1.csv", "a?.csv", True),
        ("a/b.csv", "a?b.csv", False),
        ("b.csv", "[ab].csv", True),
        ("c.csv", "[!ab].csv", True),
        ("a.json", "*.{csv,json}", True),
        ("a+csv", "a.csv", False),
        ("a.csv\nb", "*.csv", False),
    ],
)
def test_what_a_glob_names(name: str, glob: str, named: bool) -> None:
    assert matches(name, glob) is named
