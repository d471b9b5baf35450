"""What the server is told by its environment: Vertex AI's variables, and a few of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

VERTEX_MOST_BYTES = 1_572_864
"""Vertex AI's limit of a request, 1.5 MB."""


class SettingsError(Exception):
    """An environment that the server cannot start in; the message names variable and remedy."""


@dataclass(frozen=True)
class Settings:
    """One server's settings. Routes begin with a slash."""

    model_folder: str
    """AIP_STORAGE_URI: a version's folder, gs://… or a path."""
    port: int
    """AIP_HTTP_PORT, 8080 by default; 0 for any free one."""
    health_route: str
    predict_route: str
    """AIP_HEALTH_ROUTE and AIP_PREDICT_ROUTE."""
    models_root: str | None
    """NIGHTSTREAM_MODELS: the bucket or folder that the version must lie in."""
    sha256: str | None
    """NIGHTSTREAM_MODEL_SHA256: the artifact that was released; otherwise model.json says it."""
    most_bytes: int
    """NIGHTSTREAM_MOST_BYTES: the largest request."""
    most_waiting: int
    """NIGHTSTREAM_MOST_WAITING: requests that may wait for a thread; more are sent away."""
    threads: int
    """NIGHTSTREAM_THREADS: requests answered at a time, one per processor by default."""
    drain_seconds: int
    """NIGHTSTREAM_DRAIN_SECONDS: how long requests under way may take once the server is to end.
    Kubernetes waits 30 seconds."""


def settings_of(environ: Mapping[str, str]) -> Settings:
    """Reads the environment. Raises SettingsError."""
    folder = environ.get("AIP_STORAGE_URI", "").rstrip("/")
    if not folder:
        raise SettingsError(
            "AIP_STORAGE_URI is not set. Remedy: set it to the folder of a model version, where "
            "its model.json lies"
        )
    health, predict = _default_routes(environ)
    return Settings(
        model_folder=folder,
        port=_number(environ, "AIP_HTTP_PORT", 8080, least=0),
        health_route=_route(environ, "AIP_HEALTH_ROUTE", health),
        predict_route=_route(environ, "AIP_PREDICT_ROUTE", predict),
        models_root=environ.get("NIGHTSTREAM_MODELS") or None,
        sha256=environ.get("NIGHTSTREAM_MODEL_SHA256") or None,
        most_bytes=_number(environ, "NIGHTSTREAM_MOST_BYTES", VERTEX_MOST_BYTES),
        most_waiting=_number(environ, "NIGHTSTREAM_MOST_WAITING", 64),
        threads=_number(environ, "NIGHTSTREAM_THREADS", os.cpu_count() or 1),
        drain_seconds=_number(environ, "NIGHTSTREAM_DRAIN_SECONDS", 25),
    )


def _default_routes(environ: Mapping[str, str]) -> tuple[str, str]:
    """Vertex AI's defaults name endpoint and deployed model; outside of it, plain ones do."""
    endpoint, deployed = environ.get("AIP_ENDPOINT_ID"), environ.get("AIP_DEPLOYED_MODEL_ID")
    if endpoint and deployed:
        route = f"/v1/endpoints/{endpoint}/deployedModels/{deployed}"
        return route, f"{route}:predict"
    return "/health", "/predict"


def _route(environ: Mapping[str, str], name: str, default: str) -> str:
    route = environ.get(name) or default
    if not route.startswith("/") or "{" in route or "}" in route:
        raise SettingsError(f"{name} is {route!r}. Remedy: write a path such as {default}")
    return route


def _number(environ: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise SettingsError(
            f"{name} is {text!r}. "
            f"Remedy: write a whole number of at least {least}, such as {default}"
        )
    return int(text)
