"""Model versions in a models folder, and the aliases that name them.

<root>/<version>/model.json     what the version is
<root>/<version>/<artifact>     the model itself
<root>/champion                 an alias: a text file that holds a version's name
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from beam_jobs.objects import Objects
from beam_jobs.prediction.manifest import MANIFEST_NAME, ModelManifest


class ModelError(Exception):
    """A model version that cannot be used; the message names it, the fault and the remedy."""


class Version(NamedTuple):
    folder: str
    name: str


def resolve_version(root: str, name: str, objects: Objects) -> Version:
    """The version of that name, or the one that the alias of that name stands for now.

    Raises ModelError where there is neither, or where the alias names no version.
    """
    if has_version(root, name, objects):
        return Version(f"{root}/{name}", name)
    try:
        aliased = objects.read(f"{root}/{name}").decode("utf-8", "replace").strip()
    except FileNotFoundError as error:
        raise ModelError(
            f"{root} holds neither a version nor an alias {name!r}. Remedy: upload the version's "
            f"folder, or write an existing version's name into the object {root}/{name}"
        ) from error
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", aliased) or not objects.stat(
        f"{root}/{aliased}/{MANIFEST_NAME}"
    ):
        raise ModelError(
            f"alias {root}/{name} names {aliased[:80]!r}, which is no version there. Remedy: write "
            "the name of a folder that holds a model.json into the alias"
        )
    return Version(f"{root}/{aliased}", aliased)


def open_version(folder: str, objects: Objects) -> ModelManifest:
    """The description of the version in a folder. Raises ModelError."""
    uri = f"{folder}/{MANIFEST_NAME}"
    try:
        return ModelManifest.model_validate_json(objects.read(uri))
    except FileNotFoundError as error:
        raise ModelError(f"{uri} does not exist. Remedy: upload the version's folder") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        raise ModelError(f"{uri} is no model description: {faults}. Remedy: mend it") from error


def read_artifact(folder: str, manifest: ModelManifest, sha256: str, objects: Objects) -> bytes:
    """The artifact's bytes, once they are known to be the pinned ones. Raises ModelError.

    Nothing is unpickled here: bytes of another checksum never reach a loader.
    """
    uri = f"{folder}/{manifest.artifact}"
    try:
        artifact = objects.read(uri)
    except FileNotFoundError as error:
        raise ModelError(f"{uri} does not exist. Remedy: upload the artifact again") from error
    found = hashlib.sha256(artifact).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{uri} has sha256 {found}, pinned is {sha256}: it is not the model that was released, "
            "and was not opened. Remedy: upload the right artifact, or release it as a new version"
        )
    return artifact


def publish_version(
    root: str, manifest: ModelManifest, artifact: bytes, objects: Objects
) -> Version:
    """Writes a version's folder; the description comes last, so that no half version is seen."""
    folder = f"{root}/{manifest.version}"
    objects.put(f"{folder}/{manifest.artifact}", artifact)
    objects.put(f"{folder}/{MANIFEST_NAME}", manifest.model_dump_json(indent=2).encode())
    return Version(folder, manifest.version)


def set_alias(root: str, alias: str, version: str, objects: Objects) -> None:
    """Points an alias to a version that is there. Raises ModelError."""
    require_version(root, version, objects)
    objects.put(f"{root}/{alias}", version.encode())


def versions_of(root: str, objects: Objects) -> dict[str, datetime]:
    """When each version below a models folder was written, by its name."""
    found = {info.uri.removeprefix(f"{root}/"): info.updated for info in objects.list(f"{root}/")}
    return {
        name.removesuffix(f"/{MANIFEST_NAME}"): written
        for name, written in found.items()
        if name.endswith(f"/{MANIFEST_NAME}") and name.count("/") == 1
    }


def require_version(root: str, version: str, objects: Objects) -> None:
    """Raises ModelError where there is none."""
    if not has_version(root, version, objects):
        raise ModelError(f"{root} holds no version {version!r}. Remedy: upload it first")


def has_version(root: str, version: str, objects: Objects) -> bool:
    """Whether there is a version of that name, and not just an alias."""
    return objects.stat(f"{root}/{version}/{MANIFEST_NAME}") is not None
