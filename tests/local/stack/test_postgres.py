"""The embedded PostgreSQL, wherever the checkout lies and whatever a crash left."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg2
import pytest

from local.stack import processes
from local.stack.postgres import Postgres
from tests.support.patience import PATIENCE_S


@contextmanager
def serving(postgres: Postgres, log: Path) -> Iterator[psutil.Process]:
    postgres.prepare()
    record = processes.start(postgres.command, os.environ, log.parent, log)
    process = psutil.Process(record.pid)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not postgres.accepts_connections():
            assert record.alive, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        processes.ask([process], signal.SIGINT)
        processes.await_end([process], patience=PATIENCE_S)


def query(postgres: Postgres, sql: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(host=str(postgres.socket), user="postgres", dbname="postgres")
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def deep(tmp_path: Path) -> Postgres:
    """In a folder that no other user can enter, under a name too long for a unix socket."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    folder = private / ("a checkout far down " * 5) / "postgres"
    folder.mkdir(parents=True)
    return Postgres(folder)


def test_a_socket_lies_beside_the_data_where_its_path_is_short_enough() -> None:
    assert Postgres(Path("/srv/home/postgres")).socket == Path("/srv/home/postgres/socket")


def test_a_socket_whose_path_would_be_too_long_moves_to_a_folder_of_its_own(tmp_path: Path) -> None:
    first, second = (Postgres(Path("/srv") / ("x" * 100) / name) for name in ("one", "two"))
    assert len(os.fsencode(first.socket / ".s.PGSQL.5432")) < 104
    assert first.socket != second.socket
    assert tmp_path not in first.socket.parents


def test_it_serves_from_a_deep_private_folder_and_survives_a_kill(
    deep: Postgres, tmp_path: Path
) -> None:
    log = tmp_path / "postgres.log"
    with serving(deep, log) as server:
        query(deep, "create table nights as select 1 as night")
        server.send_signal(signal.SIGKILL)
        processes.await_end([server], patience=PATIENCE_S)
    _give_the_lock_to_a_stranger(deep)
    with serving(deep, log):
        assert query(deep, "select night from nights") == [(1,)]
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700
    assert stat.S_IMODE(deep.socket.stat().st_mode) == 0o700


def test_a_server_that_was_forgotten_makes_way_for_its_successor(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "postgres")
    with (
        serving(postgres, tmp_path / "first.log") as forgotten,
        serving(postgres, tmp_path / "second.log") as successor,
    ):
        assert not processes.lives(forgotten)
        assert processes.lives(successor)
        assert query(postgres, "select 1") == [(1,)]


def _give_the_lock_to_a_stranger(postgres: Postgres) -> None:
    """As after a reboot: the pid in the lock file belongs to another living process by now."""
    lock = postgres.data / "postmaster.pid"
    pid, rest = lock.read_text().split("\n", 1)
    stranger = subprocess.run(["pgrep", "-o", "."], capture_output=True, text=True, check=True)
    assert stranger.stdout.strip() != pid
    lock.write_text(f"{stranger.stdout.strip()}\n{rest}")
