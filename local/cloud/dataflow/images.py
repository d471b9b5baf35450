"""Which interpreter stands in for a worker's container image."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from local.cloud.config import WorkerImage
from local.cloud.http import ApiError, unsupported

# The Python SDK's own images, on Docker Hub and in Dataflow's registry.
_BEAM_IMAGE = re.compile(
    r"(?:(?:docker\.io/)?apache/|gcr\.io/cloud-dataflow/v1beta3/)beam_python(\d+\.\d+)_sdk(?::.+)?"
)


def stand_in(names: set[str], images: Mapping[str, WorkerImage]) -> WorkerImage:
    """The interpreter and code that replace the images asked for.

    Beam's own image of this Python version is this interpreter with nothing beside it; other
    images are those the server was told of. Raises ApiError.
    """
    if len(names) > 1:
        raise unsupported(f"jobs with several worker images ({', '.join(sorted(names))})")
    name = next(iter(names), None)
    if name and name in images:
        return images[name]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    beam = _BEAM_IMAGE.fullmatch(name) if name else None
    if name is None or (beam and beam[1] == python):
        return WorkerImage(sys.executable)
    raise ApiError(
        400,
        f"The local cloud does not know the worker image {name!r}. Start it with "
        f"--image {name}=PYTHON[:PATH…] to say which interpreter stands in for it, or use Beam's "
        f"own image for Python {python}.",
    )
