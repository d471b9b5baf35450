"""Builds the DAG that releases model versions of a service."""

from __future__ import annotations

from airflow.sdk import DAG, chain

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.dag_parts import LONG_OVER, service_task
from nightstream.forms.model import release_form
from nightstream.model_documentation import model_documentation
from nightstream.operators.model.base import ReleaseOperator
from nightstream.operators.model.candidate import CandidateOperator
from nightstream.operators.model.compare import CompareOperator
from nightstream.operators.model.deploy import DeployOperator
from nightstream.operators.model.evaluate import EvaluateOperator
from nightstream.operators.model.promote import PromoteOperator
from nightstream.operators.model.register import RegisterOperator
from nightstream.operators.model.retire import RetireOperator
from nightstream.operators.model.shift import ShiftOperator
from nightstream.operators.model.verify import VerifyOperator
from nightstream.operators.model.withdraw import WithdrawOperator

SUFFIX = "_model"


def model_dag(spec: ServiceSpec, environment: EnvironmentSpec) -> DAG:
    """The DAG `<service>_model`: candidate → evaluate → compare → promote, with the steps of Model
    Registry and endpoint before `promote` where the service has these.

    Releases of a service follow one another.
    """
    dag = DAG(
        f"{spec.service}{SUFFIX}",
        description=f"Makes another model version the champion of {spec.service}",
        schedule=None,
        start_date=LONG_OVER,
        catchup=False,
        max_active_runs=1,
        params=release_form(),
        tags=["nightstream", "model", spec.owner],
        doc_md=model_documentation(spec, environment),
    )
    common = service_task(spec, environment)
    steps = {name: step(task_id=name, **common) for name, step in _steps(spec).items()}
    # Added afterwards, as in the batch DAG.
    dag.add_tasks(list(steps.values()))
    chain(*steps.values())
    if "deploy" in steps:
        withdraw = WithdrawOperator(task_id="withdraw", **common)
        dag.add_task(withdraw)
        [steps[name] for name in ("deploy", "verify", "shift", "promote")] >> withdraw
    return dag


def _steps(spec: ServiceSpec) -> dict[str, type[ReleaseOperator]]:
    """The steps by task id, in their order."""
    proof: dict[str, type[ReleaseOperator]] = {
        "candidate": CandidateOperator,
        "evaluate": EvaluateOperator,
        "compare": CompareOperator,
    }
    if spec.model.endpoint is not None:
        return {
            **proof,
            "register": RegisterOperator,
            "deploy": DeployOperator,
            "verify": VerifyOperator,
            "shift": ShiftOperator,
            "promote": PromoteOperator,
            "retire": RetireOperator,
        }
    registered: dict[str, type[ReleaseOperator]] = (
        {"register": RegisterOperator} if spec.model.source == "vertex_registry" else {}
    )
    return {**proof, **registered, "promote": PromoteOperator}
