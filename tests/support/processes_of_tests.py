"""Which tests one process runs together, where several run the suite."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

_TOGETHER = {
    "tests/end_to_end/": "stack",
    "tests/faults/": "faults",
    "tests/dags/": "dags",
    "tests/beam_jobs/streaming/": "streaming jobs",
    "tests/plugins/nightstream/streaming/": "live tables",
}
"""By the beginning of their paths: they share what takes long to start."""


class ByFile(LoadScopeScheduling):
    """Whole files, some of them together, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        return next((group for start, group in _TOGETHER.items() if path.startswith(start)), path)
