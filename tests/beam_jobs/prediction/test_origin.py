"""Models are opened from one place only."""

from __future__ import annotations

from pathlib import Path

import pytest

from beam_jobs.prediction.origin import check_origin
from beam_jobs.prediction.versions import ModelError


@pytest.mark.parametrize(
    ("folder", "root"),
    [
        ("gs://models/babyweight/v1", "gs://models"),
        ("gs://models/babyweight/v1", "gs://models/babyweight/"),
        ("/data/models/v1", "/data/models"),
    ],
)
def test_a_folder_below_the_root_passes(folder: str, root: str) -> None:
    assert check_origin(folder, root) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("folder", "root"),
    [
        ("gs://models-of-others/v1", "gs://models"),
        ("gs://models", "gs://models"),
        ("/data/models/v1", "gs://models"),
        ("gs://models/v1", "/data/models"),
        ("/data/models/../elsewhere/v1", "/data/models"),
        ("/data/models-2/v1", "/data/models"),
    ],
)
def test_any_other_folder_is_refused(folder: str, root: str) -> None:
    with pytest.raises(ModelError, match=r"does not lie below .*Remedy: release the version there"):
        check_origin(folder, root)


def test_a_link_that_leads_out_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "models" / "v1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="does not lie below"):
        check_origin(str(tmp_path / "models" / "v1"), str(tmp_path / "models"))
