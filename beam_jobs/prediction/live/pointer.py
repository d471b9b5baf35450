"""Which model a running job is told to serve."""

from __future__ import annotations

from pydantic import ValidationError

from beam_jobs.objects import ObjectChangedError, open_objects
from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.streaming import ServedModel, StreamingPlan


class ModelPointer:
    """The object `model.json` of a revision; without one, the plan's own model is meant."""

    def __init__(self, plan: StreamingPlan) -> None:
        self._own = ServedModel(revision=plan.revision, model=plan.model)
        self._uri = plan.model_uri if plan.refreshes else None
        self._objects = open_objects(plan.root)

    @property
    def own(self) -> ServedModel:
        """The plan's own model."""
        return self._own

    def generation(self) -> int:
        """Changes with what the pointer says; 0 where it says nothing."""
        info = self._objects.stat(self._uri) if self._uri else None
        return info.generation if info else 0

    def read(self, generation: int) -> ServedModel:
        """What it said in that generation.

        Raises ModelError where that is no model, ObjectChangedError where it says something else
        by now.
        """
        if not generation or self._uri is None:
            return self._own
        try:
            return ServedModel.model_validate_json(self._objects.read(self._uri, generation))
        except FileNotFoundError as error:
            raise ObjectChangedError(self._uri, generation) from error
        except ValidationError as error:
            raise ModelError(
                f"{self._uri} points to no model: {error}. Remedy: write revision and model there, "
                "or delete it, and the job serves the model of its plan"
            ) from error
