"""What there is in the work bucket, grouped into what goes or stays as a whole. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from beam_jobs.objects import ObjectInfo

_DATA_DEPTH = 4
"""<run key>/<attempt>/<folder>/<file>; what lies higher up is a record, which stays."""
_MARK = "/removed.json"
_LAUNCHERS_FOLDER = re.compile(r"(?P<job>[a-z][a-z0-9-]*)\.\d+\.\d+")
"""How Beam names the folder of one launch: the job's name and the time."""


@dataclass(frozen=True)
class Bundle:
    """Objects that are of use together, or not at all."""

    name: str
    """The run key, or the name of the job whose launcher left them."""
    folder: str
    last_used: datetime
    """When somebody last wrote an object of the folder, whether it may go or not."""
    files: tuple[ObjectInfo, ...]
    """What may go."""

    @property
    def size(self) -> int:
        """Bytes that may go."""
        return sum(file.size for file in self.files)


def staged_runs(root: str, listing: Iterable[ObjectInfo]) -> list[Bundle]:
    """The runs below `root` that hold data files: Parquet that was, or was to be, published."""
    found = []
    for run_key, items in _by_folder(root, listing).items():
        data = [item for item in items if _depth(root, item) >= _DATA_DEPTH]
        # A sweep that was cut off does not make a run look used.
        used = [item for item in items if not item.uri.endswith(_MARK)]
        if data:
            found.append(_bundle(run_key, f"{root}/{run_key}", used, data))
    return found


def launchers_files(root: str, listing: Iterable[ObjectInfo]) -> list[Bundle]:
    """What the launches of jobs left below `root`; what no launcher named is not looked at."""
    found = []
    for folder, items in _by_folder(root, listing).items():
        named = _LAUNCHERS_FOLDER.fullmatch(folder)
        if named:
            found.append(_bundle(named["job"], f"{root}/{folder}", items, items))
    return found


def _bundle(
    name: str, folder: str, items: Iterable[ObjectInfo], files: Iterable[ObjectInfo]
) -> Bundle:
    return Bundle(name, folder, max(item.updated for item in items), tuple(files))


def _by_folder(root: str, listing: Iterable[ObjectInfo]) -> Mapping[str, list[ObjectInfo]]:
    """The listed objects by the folder of `root` that they lie in."""
    found: dict[str, list[ObjectInfo]] = defaultdict(list)
    for item in listing:
        if _depth(root, item) > 1:
            found[item.uri.removeprefix(f"{root}/").partition("/")[0]].append(item)
    return found


def _depth(root: str, item: ObjectInfo) -> int:
    return item.uri.removeprefix(f"{root}/").count("/") + 1
