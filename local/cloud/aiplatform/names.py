"""Names of resources: projects/NUMBER/locations/LOCATION/models/ID[@VERSION], and so on.

As with the service, requests name a project by its id or its number, and answers say the number.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from local.cloud.config import CloudConfig
from local.cloud.http import ApiError

_ID_DIGITS = 19
_LOCATION = re.compile(r"[a-z]+(-[a-z]+)+\d+")
_MODEL_NAME = re.compile(
    r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
    r"/models/(?P<id>[^/@]+)(?:@(?P<version>[^/@]+))?"
)


@dataclass(frozen=True)
class Place:
    """A project, by its number, and a location in it."""

    project: str
    location: str

    @classmethod
    def of(cls, config: CloudConfig, project: str, location: str) -> Place:
        """Raises ApiError 400 for a location that cannot be."""
        if not _LOCATION.fullmatch(location):
            raise ApiError(400, f"Invalid location {location!r}: a region, e.g. us-central1.")
        return cls(config.number_of(project), location)

    @property
    def name(self) -> str:
        return f"projects/{self.project}/locations/{self.location}"

    def model(self, model_id: str) -> str:
        return f"{self.name}/models/{model_id}"

    def endpoint(self, endpoint_id: str) -> str:
        return f"{self.name}/endpoints/{endpoint_id}"


@dataclass(frozen=True)
class ModelName:
    """A model, and perhaps one version of it: by its number or an alias."""

    model: str
    version: str | None


def model_name(config: CloudConfig, text: str) -> ModelName:
    """A whole name as it comes in a request. Raises ApiError 400."""
    found = _MODEL_NAME.fullmatch(text)
    if not found:
        raise ApiError(
            400,
            f"Invalid resource name {text!r}: a model is named "
            "projects/PROJECT/locations/LOCATION/models/ID[@VERSION].",
        )
    place = Place.of(config, found["project"], found["location"])
    return ModelName(place.model(found["id"]), found["version"])


def within(name: str) -> str:
    """What a resource belongs to: a version to its model, a model to its location."""
    model, at, _ = name.partition("@")
    return model if at else name.rsplit("/", 2)[0]


def last(name: str) -> str:
    """The id at the end of a name."""
    return name.rpartition("/")[2]


def new_id(digits: int = _ID_DIGITS) -> str:
    return str(random.randrange(10 ** (digits - 1), 10**digits))
