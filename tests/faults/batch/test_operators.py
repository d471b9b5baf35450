"""Histories of nights: the tasks of the nightly DAG die at any of their calls, and the cloud fails
them, as a seed says; then they are tried again, and the books must be those of a night that nothing
happened to.

NIGHTSTREAM_SEED=<seed> reproduces one history.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from beam_jobs.objects import open_objects
from beam_jobs.runs.layout import runs_root
from beam_jobs.runs.plan import RunPlan
from nightstream.cleaning.inventory import staged_runs
from nightstream.cleaning.sweeping import Sweeper
from nightstream.hooks import sessions
from nightstream.scoring.claims import Claim, Claims, claims_folder
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.faults.books import Books, books, differences, read_ledger
from tests.support.faults.history import MODELS, History, history_of
from tests.support.faults.player import Player, a_player
from tests.support.faults.reviving import Reviving
from tests.support.faults.tally import Tally
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.models import release
from tests.support.night_output import NIGHT, ROW_BYTES, write_output
from tests.support.seeds import reproduced_by, seeds
from tests.support.specs import a_service, an_environment

QUICK, LONG = 8, 200
ROWS, DEAD = 40, 2
WITHIN_LIMITS = {"audit": {"max_dead_ratio": 0.1}}


@dataclass
class World:
    """A service with two models and one complete night, scored by both."""

    service: Service
    client: bigquery.Client
    flawless: dict[str, Books] = field(default_factory=dict)
    """What a run without faults leaves in the tables, by model."""
    calls: dict[str, int] = field(default_factory=dict)
    """How many calls each step makes in such a run."""

    def stand(self, model: str) -> None:
        """Publishes what a model says of the night, unless it stands already."""
        ledger = read_ledger(self.service)
        assert ledger.published is not None
        if ledger.published.intent.night.model_version != model:
            a_player(self.service, f"before_{uuid.uuid4().hex}", model).finish()

    def play(self, history: History) -> list[str]:
        """All that is wrong after the history, and what happened in it where anything is."""
        # The same before every history of a seed, and something to be published in it.
        [other] = {*MODELS} - {history.parts[0].model}
        self.stand(other)
        for fault in history.faults:
            self.service.cloud.inject(**fault)
        players = [
            a_player(
                self.service,
                f"seed_{history.seed}_{part.model}",
                part.model,
                kills=list(part.kills),
                leases_lapse=history.leases_lapse,
            )
            for part in history.parts
        ]
        try:
            _shuffled(players, random.Random(history.seed))
        finally:
            self.service.cloud.heal()
        wrong = differences(
            self.service, self.client, [player.run for player in players], self.flawless
        )
        return [*wrong, *(line for player in players for line in player.told)] if wrong else []


def _shuffled(players: list[Player], chance: random.Random) -> None:
    """Lets the players take their turns in a chance order, until all are done."""
    while waiting := [player for player in players if not player.finished]:
        chance.choice(waiting).turn()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud that may crash."""
    started = LocalCloud(tmp_path_factory.mktemp("histories") / "data").start()
    with pytest.MonkeyPatch.context() as patch:
        started.point_clients_here(patch)
        patch.setattr(sessions, "LONGEST_ANSWER_S", 2.0)
        with Reviving(started):
            yield started
    started.end()


@pytest.fixture(scope="module")
def world(cloud: LocalCloud) -> World:
    name = uuid.uuid4().hex[:12]
    buckets = {kind: f"{kind}-{name}" for kind in ("input", "work", "models")}
    for bucket in buckets.values():
        cloud.call("POST", "/storage/v1/b", {"name": bucket})
    environment = an_environment(cloud.url, buckets=buckets, bigquery={"dataset": f"d{name}"})
    objects = open_objects("gs://", storage.Client(PROJECT, AnonymousCredentials()))
    client = bigquery.Client(PROJECT, AnonymousCredentials(), location="US")
    client.create_dataset(environment.bigquery.dataset)
    service = Service(cloud, environment, objects, a_service(**WITHIN_LIMITS))
    service.put("a.csv", "x" * (ROWS * ROW_BYTES))
    service.put("_SUCCESS", "")
    world = World(service, client)
    for model in MODELS:
        release(service.models, model, objects)
        _play_without_faults(world, model)
    return world


def _play_without_faults(world: World, model: str) -> None:
    """Scores the night with a model, and remembers how it looks where nothing goes wrong."""
    player = a_player(world.service, f"flawless_{model}", model)
    while player.step != "score":
        player.turn()
    plan_uri = player.run.xcoms["resolve", "return_value"]["plan_uri"]
    plan = RunPlan.model_validate_json(world.service.objects.read(plan_uri))
    write_output(plan, DEAD, world.service.objects)
    player.finish()
    world.calls = player.calls
    world.flawless[model] = books(world.service, world.client)
    assert len(world.flawless[model].predictions) == ROWS - DEAD
    assert len(world.flawless[model].dead_letters) == DEAD


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts the histories, and tells how many there were to a minute."""
    tally = Tally()
    yield tally
    tally.report(request.config)


@pytest.mark.parametrize("seed", seeds(QUICK + LONG, quick=QUICK))
def test_after_any_history_the_books_are_those_of_a_night_without_faults(
    world: World, tally: Tally, seed: int, request: pytest.FixtureRequest
) -> None:
    history = history_of(seed, world.calls)
    with tally.history():
        wrong = world.play(history)
    again = f"seed {seed}: {reproduced_by(request, seed)}"
    assert not wrong, "\n".join([again, str(history), *wrong])


def test_no_difference_goes_unnoticed(world: World) -> None:
    service, client = world.service, world.client
    client.default_query_job_config = bigquery.QueryJobConfig(
        default_dataset=f"{PROJECT}.{service.environment.bigquery.dataset}"
    )
    player = a_player(service, "looked_at", "v1")
    player.finish()

    def found() -> list[str]:
        return differences(service, client, [player.run], world.flawless)

    assert found() == []
    folder = claims_folder(service.environment.buckets.work, service.spec.service, NIGHT)
    Claims(service.objects, folder, "a-run").put(Claim(dag_id="weights_batch", run_id="looked_at"))
    for tampering in (
        "DELETE FROM weights_predictions WHERE source_position = 0",
        "INSERT INTO scoring_runs SELECT * FROM scoring_runs WHERE run_id = 'looked_at'",
    ):
        client.query(tampering).result()
    partition, recorded, claim = found()
    assert partition.startswith("the partitions do not hold")
    assert recorded.startswith("scoring_runs holds")
    assert claim.startswith("claim ")


def test_after_the_clean_up_only_records_are_left(world: World) -> None:
    objects = world.service.objects
    root = runs_root(world.service.environment.buckets.work, "weights")
    runs = staged_runs(root, objects.list(f"{root}/"))
    assert len(runs) == len(MODELS)
    Sweeper(objects).remove_runs(runs)
    assert staged_runs(root, objects.list(f"{root}/")) == []
    left = {item.uri.rpartition("/")[2] for item in objects.list(f"{root}/")}
    assert left >= {"plan.json", "manifest.json", "removed.json"}
    assert not any(name.endswith(".parquet") for name in left)
