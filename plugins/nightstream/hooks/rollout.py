"""Vertex AI by its REST API: deploying versions to a service's endpoint."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from google.cloud.aiplatform_v1 import EndpointServiceClient
from google.cloud.aiplatform_v1.types import DedicatedResources, DeployedModel, MachineSpec
from google.cloud.aiplatform_v1.types import Endpoint as EndpointMessage

from beam_jobs.runs.release import ReleasePlan
from nightstream.hooks.operations import Operation, operation_of, running_operation
from nightstream.hooks.vertex import VertexHook
from nightstream.releasing.rollout import Deploy, Endpoint, Shift, Undeploy, deployed_id_of


class RolloutHook(VertexHook):
    """What the steps of a release see of the endpoint, and do to it."""

    def see(self) -> Endpoint:
        """Raises ModelError where there is no such endpoint."""
        found = self.find()
        deployed = tuple(self.deployed(found))
        return Endpoint(found.name, found.etag, deployed, dict(found.traffic_split))

    def deploy(
        self, endpoint: Endpoint, plan: ReleasePlan, registered: str, action: Deploy
    ) -> Operation:
        """Begins to deploy the candidate. registered: its name in the Model Registry."""
        declared = plan.release.deployment
        model = DeployedModel(
            id=deployed_id_of(plan.candidate),
            model=registered,
            display_name=f"{plan.spec.service} {plan.candidate.version}",
            service_account=self.environment.vertex.service_account or "",
            dedicated_resources=DedicatedResources(
                machine_spec=MachineSpec(machine_type=declared.machine_type),
                min_replica_count=declared.min_replicas,
                max_replica_count=declared.max_replicas,
            ),
        )
        begun = self._client.deploy_model(
            endpoint=endpoint.name, deployed_model=model, traffic_split=dict(action.traffic)
        )
        return Operation(begun.operation.name, False, None)

    def shift(self, endpoint: Endpoint, action: Shift) -> None:
        """Gives the endpoint that split, unless it has been changed since it was seen."""
        changed = EndpointMessage(
            name=endpoint.name, etag=endpoint.etag, traffic_split=dict(action.traffic)
        )
        self._client.update_endpoint(endpoint=changed, update_mask={"paths": ["traffic_split"]})

    def undeploy(self, endpoint: Endpoint, action: Undeploy) -> Operation:
        """Begins to take a deployed model away."""
        begun = self._client.undeploy_model(
            endpoint=endpoint.name,
            deployed_model_id=action.deployed_id,
            traffic_split=dict(action.traffic),
        )
        return Operation(begun.operation.name, False, None)

    def operation(self, name: str) -> Operation | None:
        return operation_of(self._client, name)

    def running(self) -> Operation | None:
        """What is under way on the endpoint, whoever began it."""
        return running_operation(self._client, self.find().name)

    @cached_property
    def _client(self) -> Any:
        return self.client(EndpointServiceClient)
