"""Where a model may come from."""

from __future__ import annotations

from pathlib import Path

from beam_jobs.prediction.versions import ModelError


def check_origin(folder: str, root: str) -> None:
    """Refuses a version's folder that does not lie below `root` (a bucket, or a folder).

    Raises ModelError. Models may be pickles, and to open one is to run what it holds.
    """
    if not _below(folder, root):
        raise ModelError(
            f"{folder} does not lie below {root}, the only place that models are opened from. "
            "Remedy: release the version there"
        )


def _below(folder: str, root: str) -> bool:
    if "://" in folder or "://" in root:
        return folder.startswith(root.rstrip("/") + "/")
    return Path(root).resolve() in Path(folder).resolve().parents
