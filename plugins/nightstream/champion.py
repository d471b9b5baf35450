"""The alias that names a service's champion: in the models bucket, or in the Model Registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from beam_jobs.prediction.aliases import Alias, move_alias, read_alias
from beam_jobs.prediction.versions import ModelError
from nightstream.models import models_root

if TYPE_CHECKING:
    from beam_jobs.objects import Objects
    from beam_jobs.runs.plan import ModelPin
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec
    from nightstream.hooks.model_registry import ModelRegistryHook


class ChampionAlias(Protocol):
    """Where the champion is named."""

    def read(self) -> Alias:
        """What it names now."""

    def move(self, pin: ModelPin, seen: Alias) -> None:
        """Points it to a version, if it still says what was seen. Raises ModelError,
        PreconditionError."""


@dataclass(frozen=True)
class BucketAlias:
    """An object beside the version folders."""

    root: str
    alias: str
    objects: Objects

    def read(self) -> Alias:
        return read_alias(self.root, self.alias, self.objects)

    def move(self, pin: ModelPin, seen: Alias) -> None:
        move_alias(self.root, self.alias, pin.version, seen, self.objects)


@dataclass(frozen=True)
class RegistryAlias:
    """An alias of the registry, which cannot be moved by compare-and-swap: the service's releases
    follow one another, and nobody else is to move it."""

    root: str
    alias: str
    hook: ModelRegistryHook

    def read(self) -> Alias:
        version = self.hook.aliased(self.alias, self.root)
        return Alias(version.name if version else None, 0)

    def move(self, pin: ModelPin, seen: Alias) -> None:  # noqa: ARG002
        version = self.hook.version(pin)
        if version is None:
            raise ModelError(
                f"{pin.uri} is not in the Model Registry any more. Remedy: clear the task register"
            )
        self.hook.give_alias(version, self.alias)


def champion_alias(
    spec: ServiceSpec, environment: EnvironmentSpec, objects: Objects
) -> ChampionAlias:
    """The alias that `model.version` of the spec names."""
    root, alias = models_root(spec, environment), spec.model.version
    if spec.model.source == "gcs":
        return BucketAlias(root, alias, objects)
    from nightstream.hooks.model_registry import ModelRegistryHook

    return RegistryAlias(root, alias, ModelRegistryHook(environment, spec))
