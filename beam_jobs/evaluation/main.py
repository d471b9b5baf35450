"""The commands: `evaluate` on held-out rows, `verify` on an endpoint."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from beam_jobs.evaluation.endpoint_check import check_endpoint
from beam_jobs.evaluation.errors import EvaluationError
from beam_jobs.evaluation.evaluate import evaluate
from beam_jobs.evaluation.held_out import read_held_out
from beam_jobs.evaluation.versions import open_pinned, predictions
from beam_jobs.objects import ObjectChangedError, ObjectExistsError, open_objects
from beam_jobs.prediction.remote.client import EndpointClient
from beam_jobs.prediction.versions import ModelError
from beam_jobs.reading import InputFileError
from beam_jobs.runs.release import ReleasePlan

_TIMEOUT_S = 60.0


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code is 2 where the same command would be refused again; the reason is on stderr."""
    arguments = _parser().parse_args(argv)
    try:
        plan = ReleasePlan.model_validate_json(open_objects(arguments.plan).read(arguments.plan))
        if arguments.command == "evaluate":
            _evaluate(plan, arguments.models)
        else:
            _verify(plan, arguments.models, arguments.deployed_model, arguments.percent)
    except (ModelError, InputFileError, ObjectChangedError, EvaluationError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _evaluate(plan: ReleasePlan, models_root: str) -> None:
    evaluation = evaluate(plan, models_root)
    objects = open_objects(plan.evaluation_uri)
    try:
        objects.create(plan.evaluation_uri, evaluation.model_dump_json(indent=1).encode())
    except ObjectExistsError:
        print("the same release was evaluated before; what is there stands")
    print(plan.evaluation_uri)


def _verify(plan: ReleasePlan, models_root: str, deployed_id: str, percent: int) -> None:
    assert plan.held_out is not None, "a roll-back is not verified"
    assert plan.candidate.endpoint is not None, "only what is deployed is verified"
    spec, release = plan.spec, plan.release
    objects = open_objects(plan.held_out.uri)
    rows = read_held_out(spec, release.held_out, plan.held_out, objects).rows
    model = open_pinned(plan.candidate, models_root)
    output = spec.model.compared_output
    scored = np.isfinite(predictions(model, rows, output, spec.model.batch_rows))
    chosen = rows.take(pa.array(np.flatnonzero(scored)[: release.verified_rows]))
    client = EndpointClient(plan.candidate.endpoint, 1, _TIMEOUT_S)
    count = check_endpoint(client, model, chosen, deployed_id, percent)
    print(f"{count} held-out rows are answered as they are here")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m beam_jobs.evaluation",
        description="Judges the candidate of a release.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    evaluated = commands.add_parser("evaluate", help="candidate and champion on held-out rows")
    verified = commands.add_parser("verify", help="the deployed candidate on held-out rows")
    for command in (evaluated, verified):
        command.add_argument("--plan", required=True, metavar="URI", help="plan of the release")
        command.add_argument(
            "--models", required=True, metavar="URI", help="the only place models are opened from"
        )
    verified.add_argument("--deployed-model", required=True, metavar="ID")
    verified.add_argument(
        "--percent", required=True, type=int, help="share of the traffic that it has"
    )
    return parser
