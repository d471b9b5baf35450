"""The commands: `serve`, and `predict` for a single answer."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from beam_jobs.prediction.server.answer import answer
from beam_jobs.prediction.server.opening import open_served
from beam_jobs.prediction.server.problems import RefusedRequest
from beam_jobs.prediction.server.process import serve
from beam_jobs.prediction.server.settings import SettingsError, settings_of
from beam_jobs.prediction.versions import ModelError

_EPILOG = """\
`serve` is told by Vertex AI's variables what to do: AIP_STORAGE_URI (the version's folder),
AIP_HTTP_PORT, AIP_HEALTH_ROUTE, AIP_PREDICT_ROUTE; see docs/prediction-server.md.

Examples:
  AIP_STORAGE_URI=models/babyweight/v1 python -m beam_jobs.prediction.server serve
  python -m beam_jobs.prediction.server predict --model models/babyweight/v1 --instances file.json
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code is 1 when there is no prediction, or no server; the reason is on stderr."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "serve":
            return serve(settings_of(os.environ), arguments.host)
        return _predict(arguments.model.rstrip("/"), arguments.instances)
    except (SettingsError, ModelError, RefusedRequest, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _predict(folder: str, instances: Path) -> int:
    request = instances.read_bytes()
    print(answer(request, open_served(folder)).body.decode())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m beam_jobs.prediction.server",
        description="Predictions of one model version.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    served = commands.add_parser("serve", help="answer HTTP requests until SIGTERM")
    served.add_argument(
        "--host", default="0.0.0.0", help="address to listen on (default: all, as Vertex AI asks)"
    )
    once = commands.add_parser("predict", help="answer one request and end")
    once.add_argument("--model", required=True, metavar="FOLDER", help="where model.json lies")
    once.add_argument(
        "--instances",
        required=True,
        type=Path,
        metavar="FILE",
        help='a request as it is sent: {"instances": [{…}, …]}',
    )
    return parser
