"""Which library versions may open a model."""

from __future__ import annotations

import pytest
import sklearn
import xgboost

from beam_jobs.prediction.libraries import check_libraries
from beam_jobs.prediction.manifest import ModelKind, ModelManifest
from beam_jobs.prediction.versions import ModelError

SKLEARN = sklearn.__version__
MAJOR, MINOR = (int(part) for part in SKLEARN.split(".")[:2])
NEXT_XGBOOST = f"{int(xgboost.__version__.split('.')[0]) + 1}.0.0"


def written_by(
    trained: tuple[ModelManifest, bytes], kind: ModelKind, **libraries: str
) -> ModelManifest:
    named = {name.replace("_", "-"): version for name, version in libraries.items()}
    return trained[0].model_copy(update={"kind": kind, "libraries": named})


@pytest.mark.parametrize("version", [SKLEARN, f"{MAJOR}.{MINOR}.99"])
def test_a_pickle_opens_with_the_release_that_wrote_it(
    trained: tuple[ModelManifest, bytes], version: str
) -> None:
    assert check_libraries(written_by(trained, "sklearn", scikit_learn=version)) is None


@pytest.mark.parametrize("version", [f"{MAJOR}.{MINOR + 1}.0", "0.24.2", "unknown", "1"])
def test_a_pickle_of_another_release_is_refused(
    trained: tuple[ModelManifest, bytes], version: str
) -> None:
    with pytest.raises(ModelError, match=rf"written by scikit-learn {version}.*worker has"):
        check_libraries(written_by(trained, "sklearn", scikit_learn=version))


def test_a_model_that_does_not_say_what_wrote_it_is_refused(
    trained: tuple[ModelManifest, bytes],
) -> None:
    with pytest.raises(ModelError, match="does not say which scikit-learn wrote it"):
        check_libraries(written_by(trained, "sklearn"))


def test_xgboosts_own_format_opens_with_a_later_release(
    trained: tuple[ModelManifest, bytes],
) -> None:
    assert check_libraries(written_by(trained, "xgboost", xgboost="2.0.3")) is None


def test_xgboosts_own_format_of_a_later_release_is_refused(
    trained: tuple[ModelManifest, bytes],
) -> None:
    with pytest.raises(ModelError, match="Remedy"):
        check_libraries(written_by(trained, "xgboost", xgboost_cpu=NEXT_XGBOOST))
