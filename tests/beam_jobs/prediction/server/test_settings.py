"""The environment that Vertex AI gives a container."""

from __future__ import annotations

import pytest

from beam_jobs.prediction.server.settings import SettingsError, settings_of

FOLDER = {"AIP_STORAGE_URI": "gs://models/babyweight/v1/"}


def test_vertex_variables_say_port_routes_and_model() -> None:
    settings = settings_of(
        {
            **FOLDER,
            "AIP_HTTP_PORT": "9000",
            "AIP_HEALTH_ROUTE": "/alive",
            "AIP_PREDICT_ROUTE": "/v1/models/m:predict",
        }
    )
    assert settings.model_folder == "gs://models/babyweight/v1"
    assert settings.port == 9000
    assert (settings.health_route, settings.predict_route) == ("/alive", "/v1/models/m:predict")


def test_without_routes_they_are_those_that_vertex_documents() -> None:
    deployed = {"AIP_ENDPOINT_ID": "12", "AIP_DEPLOYED_MODEL_ID": "34"}
    settings = settings_of({**FOLDER, **deployed})
    assert settings.port == 8080
    assert settings.health_route == "/v1/endpoints/12/deployedModels/34"
    assert settings.predict_route == "/v1/endpoints/12/deployedModels/34:predict"


def test_outside_of_vertex_the_routes_are_plain() -> None:
    settings = settings_of(FOLDER)
    assert (settings.health_route, settings.predict_route) == ("/health", "/predict")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AIP_STORAGE_URI": ""}, "AIP_STORAGE_URI is not set"),
        ({"AIP_HTTP_PORT": "http"}, "AIP_HTTP_PORT is 'http'"),
        ({"AIP_PREDICT_ROUTE": "predict"}, "AIP_PREDICT_ROUTE is 'predict'"),
        ({"AIP_HEALTH_ROUTE": "/{x}"}, "AIP_HEALTH_ROUTE is '/{x}'"),
        ({"NIGHTSTREAM_THREADS": "0"}, "NIGHTSTREAM_THREADS is '0'"),
        ({"NIGHTSTREAM_MOST_WAITING": "-1"}, "NIGHTSTREAM_MOST_WAITING is '-1'"),
    ],
)
def test_a_wrong_variable_is_refused_with_the_remedy(
    variables: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=r"Remedy: ") as error:
        settings_of({**FOLDER, **variables})
    assert str(error.value).startswith(message)
