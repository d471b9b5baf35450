"""Model evaluations: imported, read, listed."""

from __future__ import annotations

from typing import Any

from starlette.routing import BaseRoute

from local.cloud.aiplatform.documents import Document, not_found, received
from local.cloud.aiplatform.listing import listed
from local.cloud.aiplatform.models.registry import Registry
from local.cloud.aiplatform.names import last, new_id
from local.cloud.aiplatform.requests import Call, Routing
from local.cloud.aiplatform.store import Collection, Named, Store
from local.cloud.config import CloudConfig
from local.cloud.http import unsupported
from local.cloud.supervised import now


class EvaluationContent(Document):
    """What a client imports."""

    display_name: str = ""
    metrics_schema_uri: str = ""
    metrics: Any = None
    metadata: Any = None
    slice_dimensions: list[str] = []
    data_item_schema_uri: str = ""
    annotation_schema_uri: str = ""


class Evaluation(Named):
    """An evaluation of one version of a model; its name says the model alone."""

    version: str
    content: EvaluationContent
    create_time: str

    def view(self) -> dict[str, Any]:
        fields = self.content.json_fields()
        return {"name": self.name, "createTime": self.create_time, **fields}


class EvaluationsApi:
    def __init__(self, config: CloudConfig, store: Store, registry: Registry) -> None:
        self._config = config
        self._registry = registry
        self._evaluations = Collection(store, "evaluation", Evaluation)

    def routes(self) -> list[BaseRoute]:
        route = Routing(self._config).route
        evaluations = "/models/{model}/evaluations"
        return [
            route("POST", evaluations + ":import", self.import_),
            route("GET", evaluations, self.list),
            route("GET", evaluations + "/{evaluation}", self.get),
        ]

    def import_(self, call: Call) -> dict[str, Any]:
        sent = call.body.get("modelEvaluation")
        content = received(EvaluationContent, sent, "model_evaluation")
        evaluation = Evaluation(
            name=f"{call.model.model}/evaluations/{new_id()}",
            version=self._registry.version(call.model).number,
            content=content,
            create_time=now(),
        )
        self._evaluations.put(evaluation)
        return evaluation.view()

    def list(self, call: Call) -> dict[str, Any]:
        """Of the version that the model's name says, or of the default one."""
        if call.query.get("filter"):
            raise unsupported("listing model evaluations by a filter")
        number = self._registry.version(call.model).number
        found = self._evaluations.all(call.model.model)
        shown = [evaluation.view() for evaluation in found if evaluation.version == number]
        return listed("modelEvaluations", shown, call.query)

    def get(self, call: Call) -> dict[str, Any]:
        name = f"{call.model.model}/evaluations/{last(call.path['evaluation'])}"
        evaluation = self._evaluations.find(name)
        if evaluation is None:
            raise not_found("ModelEvaluation", name)
        return evaluation.view()
