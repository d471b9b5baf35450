"""What the measurements share: a local cloud, a model, requests, and runs of the nightly job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from beam_jobs.objects import open_objects
from beam_jobs.prediction.versions import publish_version
from beam_jobs.runs.manifest import RunManifest
from examples.babyweight.train import build_version
from tests.bench.births import births_csv
from tests.bench.jobs import WORKER_IMAGE, JobRun, run_job
from tests.support.local_cloud import ROOT, LocalCloud
from tests.support.pubsub_emulator import PubsubEmulator

SPEC = ROOT / "dags" / "services" / "babyweight.yaml"
BUCKET = "bench"
_CACHE = ROOT / ".local" / "bench"
_PUBSUB_MACHINE = ("-Xms3g", "-Xmx3g", "-XX:+UseShenandoahGC")
"""The emulator keeps acknowledged messages: a million and more, with room to spare. A collector
that stops the world would stop it for half a second at a time."""


class Workshop:
    """A running local cloud with the example's model in it; a Pub/Sub emulator, to be started."""

    def __init__(self, cloud: LocalCloud, pubsub: PubsubEmulator, quick: bool) -> None:
        self.cloud = cloud
        self.pubsub = pubsub
        self.quick = quick
        self.model_folder = _CACHE / "models" / "v1"
        """On this disk; the same version lies in `model_uri`."""
        self.model_uri = f"gs://{BUCKET}/models/v1"
        cloud.call("POST", "/storage/v1/b", {"name": BUCKET})
        self.model = build_version("sklearn", "v1")
        for root in (self.model_folder.parent, f"gs://{BUCKET}/models"):
            publish_version(str(root), *self.model, open_objects(str(root)))
        self.nightly_job = cache(self._nightly_job)
        self.requests_uri = cache(self._requests_uri)

    def rows(self, full: int) -> int:
        """So many rows; a twentieth of it in a quick run."""
        return full // 20 if self.quick else full

    def requests(self, rows: int) -> Path:
        """A CSV file of so many births on this disk."""
        return births_csv(rows, _CACHE)

    def _requests_uri(self, rows: int) -> str:
        uri = f"gs://{BUCKET}/requests/births-{rows}.csv"
        open_objects(uri).put_file(uri, self.requests(rows))
        return uri

    def _nightly_job(self, rows: int, repeat: int) -> JobRun:
        """The nightly job on so many births; each repeat runs once, whoever asks."""
        return self.run_nightly_job("beam_jobs.batch", rows, nightly_job_name(rows, repeat))

    def run_nightly_job(
        self, launcher: str, rows: int, name: str, model_uri: str | None = None
    ) -> JobRun:
        """The nightly job on so many births, submitted by a module; the name is used once.

        model_uri: another version than the usual one.
        """
        output = f"gs://{BUCKET}/runs/{name}"
        command = [
            *(launcher, "--spec", str(SPEC), "--input", self.requests_uri(rows)),
            *("--model", model_uri or self.model_uri, "--output", output),
            *("--score-date", "2026-01-01"),
        ]
        run = run_job(self.cloud, BUCKET, f"nightly-{name}", command)
        scored = self.manifest(name).rows_scored
        if scored != rows:
            raise RuntimeError(f"{output}: {scored} rows scored of {rows}")
        return run

    def manifest(self, name: str) -> RunManifest:
        """What the job of that name left behind."""
        output = f"gs://{BUCKET}/runs/{name}/"
        objects = open_objects(output)
        (uri,) = (item.uri for item in objects.list(output) if item.uri.endswith("manifest.json"))
        return RunManifest.model_validate_json(objects.read(uri))


def nightly_job_name(rows: int, repeat: int) -> str:
    """What a repeat of the nightly job is called."""
    return f"{rows}-rows-{repeat}"


@contextmanager
def open_workshop(quick: bool) -> Iterator[Workshop]:
    with TemporaryDirectory(prefix="bench-") as folder, pytest.MonkeyPatch.context() as patch:
        pubsub = PubsubEmulator(Path(folder) / "pubsub.log", _PUBSUB_MACHINE)
        for name, value in pubsub.env.items():
            patch.setenv(name, value)  # of the local cloud's workers too
        cloud = LocalCloud(Path(folder) / "cloud", WORKER_IMAGE).start()
        try:
            cloud.point_clients_here(patch)
            yield Workshop(cloud, pubsub, quick)
        finally:
            cloud.end()
            pubsub.kill()
