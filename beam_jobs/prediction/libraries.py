"""Whether the libraries of this worker can open a model."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from beam_jobs.prediction.manifest import ModelKind, ModelManifest
from beam_jobs.prediction.versions import ModelError

_LIBRARIES: dict[ModelKind, tuple[str, ...]] = {
    "sklearn": ("scikit-learn",),
    "xgboost": ("xgboost-cpu", "xgboost"),
    "onnx": ("onnxruntime",),
}
"""By kind, the names under which the library that opens it may be installed."""


def check_libraries(manifest: ModelManifest) -> None:
    """Refuses a model written by a library version that this worker's may not understand.

    A pickle is good for the same major.minor release of scikit-learn only (its persistence guide
    promises no more); XGBoost's and ONNX's own formats open with the same or any later release.
    Raises ModelError.
    """
    names = _LIBRARIES[manifest.kind]
    recorded = next((manifest.libraries[name] for name in names if name in manifest.libraries), "")
    if not recorded:
        raise ModelError(
            f"model {manifest.name} {manifest.version} does not say which {names[0]} wrote it. "
            f"Remedy: add {names[0]} to libraries in its model.json"
        )
    installed = _installed(names)
    if not _opens(manifest.kind, recorded, installed):
        raise ModelError(
            f"model {manifest.name} {manifest.version} was written by {names[0]} {recorded}, this "
            f"worker has {installed or 'none'}. Remedy: train it again with the worker's version, "
            "or build a worker image with the model's"
        )


def _installed(names: tuple[str, ...]) -> str:
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""


def _opens(kind: ModelKind, recorded: str, installed: str) -> bool:
    wrote, reads = _release(recorded), _release(installed)
    if wrote is None or reads is None:
        return False
    return wrote == reads if kind == "sklearn" else wrote <= reads


def _release(text: str) -> tuple[int, int] | None:
    parts = text.split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    return int(parts[0]), int(parts[1])
