"""One local cloud for all tests of Dataflow, and the jobs submitted to it."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud.dataflow.stop import stop_jobs
from tests.support.dataflow_cloud import BUCKET, IMAGE, DataflowCloud, Launcher
from tests.support.wheels import a_wheel


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataflowCloud]:
    cloud = DataflowCloud.with_image(tmp_path_factory.mktemp("cloud"))
    cloud.storage.create_bucket(BUCKET)
    yield cloud
    cloud.server.end()
    stop_jobs(cloud.server.data)


@pytest.fixture(autouse=True)
def answers_fit(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test during which an answer did not fit Google's description of its APIs fails."""
    yield
    if "cloud" in request.fixturenames:
        request.getfixturevalue("cloud").server.verify()


@pytest.fixture(scope="session")
def launched(cloud: DataflowCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """The jobs that the tests look at, submitted in one go; they run side by side."""
    folder = tmp_path_factory.mktemp("packages")
    setup = _package(folder, "staged_words", "'!'") / "setup.py"
    extra = _sdist(_package(folder, "extra_words", "'?'"))
    wheel = a_wheel(folder, {"code_of_image.py": "WHOSE = 'the wheel'"})
    bucket = cloud.storage.bucket(BUCKET)
    bucket.blob("in/words.txt").upload_from_string("to be or not to be\nthat is it\n" * 100)
    launcher = Launcher(
        cloud,
        [
            ("read_and_count", "count", ["--labels=team=night", "--labels=tier=gold"]),
            ("raise_in_user_code", "broken", []),
            ("work_for_ever", "endless", []),
            ("work_for_ever", "endless", []),
            (
                "work_slowly_and_look_around",
                "pair",
                ["--num_workers=2", f"--sdk_container_image={IMAGE}", f"--extra_package={wheel}"],
            ),
            (
                "use_staged_code",
                "greeting",
                [f"--setup_file={setup}", f"--extra_package={extra}", "--save_main_session"],
            ),
        ],
        folder / "launcher.log",
    )
    yield launcher
    launcher.end()


def _package(folder: Path, module: str, mark: str) -> Path:
    source = folder / module
    source.mkdir()
    (source / f"{module}.py").write_text(f"MARK = {mark}\n")
    (source / "setup.py").write_text(
        "import setuptools\n"
        f"setuptools.setup(name='{module}', version='1.0', py_modules=['{module}'])\n"
    )
    return source


def _sdist(source: Path) -> Path:
    archive = source.parent / f"{source.name}-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(source, f"{source.name}-1.0")
    return archive
