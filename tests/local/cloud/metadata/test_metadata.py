"""Credentials and facts about the machine, as google-auth asks for them."""

from __future__ import annotations

import time
from pathlib import Path

import google.auth
import google.auth.transport.requests
import pytest
import requests
from google.auth.compute_engine import _metadata
from google.oauth2 import id_token, service_account

from tests.support.local_cloud import PROJECT, LocalCloud

ACCOUNT = f"{PROJECT}.svc.id.goog"


@pytest.fixture
def transport(
    cloud_env: LocalCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> google.auth.transport.requests.Request:
    """google-auth's transport, on a machine without any key file."""
    assert cloud_env.env["GCE_METADATA_HOST"] == _metadata._GCE_METADATA_HOST
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    assert _metadata.is_on_gce(google.auth.transport.requests.Request())
    return google.auth.transport.requests.Request()


def read(cloud: LocalCloud, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{cloud.url}/computeMetadata/v1/{path}", headers=headers, timeout=60)


def test_default_credentials_are_found_without_delay(transport) -> None:
    begun = time.monotonic()
    credentials, project = google.auth.default(
        scopes=["https://www.googleapis.com/auth/cloud-platform"]
    )
    credentials.refresh(transport)
    assert time.monotonic() - begun < 10
    assert project == PROJECT
    assert credentials.token
    assert credentials.service_account_email == ACCOUNT
    assert credentials.universe_domain == "googleapis.com"


def test_an_identity_token_names_its_audience(transport) -> None:
    token = id_token.fetch_id_token(transport, "https://service.example")
    claims = google.auth.jwt.decode(token, verify=False)
    assert (claims["aud"], claims["email"]) == ("https://service.example", ACCOUNT)


def test_a_key_file_with_this_token_uri_works(transport, cloud_env: LocalCloud) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    credentials = service_account.Credentials.from_service_account_info(
        {
            "client_email": ACCOUNT,
            "private_key": pem.decode(),
            "token_uri": f"{cloud_env.url}/token",
        },
        scopes=["https://www.googleapis.com/auth/cloud-platform"],
    )
    credentials.refresh(transport)
    assert credentials.valid


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("project/project-id", PROJECT),
        ("instance/zone", "projects/123456789012/zones/us-central1-a"),
        ("instance/service-accounts/default/email", ACCOUNT),
        ("instance/service-accounts/", f"default/\n{ACCOUNT}/\n"),
        ("universe/universe-domain", "googleapis.com"),
    ],
)
def test_values_and_folders_are_text(cloud_env: LocalCloud, path: str, expected: str) -> None:
    answer = read(cloud_env, path, **{"Metadata-Flavor": "Google"})
    assert (answer.status_code, answer.text) == (200, expected)
    assert answer.headers["Metadata-Flavor"] == "Google"


def test_a_folder_is_json_when_asked_for_as_a_whole(cloud_env: LocalCloud) -> None:
    answer = read(cloud_env, "project/?recursive=true", **{"Metadata-Flavor": "Google"})
    assert answer.json()["projectId"] == PROJECT


def test_a_request_without_the_header_is_refused(cloud_env: LocalCloud) -> None:
    assert read(cloud_env, "project/project-id").status_code == 403


def test_what_is_not_there_is_404(cloud_env: LocalCloud) -> None:
    assert read(cloud_env, "instance/gpu", **{"Metadata-Flavor": "Google"}).status_code == 404
