"""Credentials and facts about the machine, as google-auth asks for them."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import google.auth
import google.auth.transport.requests
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import impersonated_credentials
from google.auth.compute_engine import _metadata
from google.oauth2 import id_token, service_account

from tests.support.local_cloud import PROJECT, LocalCloud

ACCOUNT = f"{PROJECT}.svc.id.goog"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


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


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def key_file(cloud: LocalCloud, private_key: str) -> dict[str, str]:
    """What a service account's key file holds, for this cloud."""
    return {
        "type": "service_account",
        "client_email": ACCOUNT,
        "private_key": private_key,
        "token_uri": f"{cloud.url}/token",
    }


def test_a_key_file_with_this_token_uri_works(
    transport, cloud_env: LocalCloud, private_key: str
) -> None:
    credentials = service_account.Credentials.from_service_account_info(
        key_file(cloud_env, private_key), scopes=SCOPES
    )
    credentials.refresh(transport)
    assert credentials.valid


def test_an_account_is_impersonated(transport, cloud_env: LocalCloud, private_key: str) -> None:
    source = service_account.Credentials.from_service_account_info(
        key_file(cloud_env, private_key), scopes=SCOPES
    )
    account = f"scorer@{PROJECT}.iam.gserviceaccount.com"
    credentials = impersonated_credentials.Credentials(
        source,
        account,
        SCOPES,
        iam_endpoint_override=(
            f"{cloud_env.url}/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
        ),
    )
    credentials.refresh(transport)
    assert (credentials.valid, credentials.service_account_email) == (True, account)


@pytest.mark.parametrize("body", [{}, {"scope": SCOPES, "lifetime": "90000s"}])
def test_an_impersonation_without_scope_or_too_long_is_refused(
    cloud_env: LocalCloud, body: dict
) -> None:
    url = f"{cloud_env.url}/v1/projects/-/serviceAccounts/a@b:generateAccessToken"
    assert requests.post(url, json=body, timeout=60).status_code == 400


def test_other_calls_of_the_iam_credentials_api_are_refused_by_name(cloud_env: LocalCloud) -> None:
    url = f"{cloud_env.url}/v1/projects/-/serviceAccounts/a@b:signBlob"
    answer = requests.post(url, json={}, timeout=60)
    assert answer.status_code == 501
    assert "signBlob" in answer.json()["error"]["message"]


def test_gcloud_finds_its_account_project_and_tokens_without_a_browser(
    cloud_env: LocalCloud, tmp_path: Path
) -> None:
    host = cloud_env.env["GCE_METADATA_HOST"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDSDK_")}
    env |= {**cloud_env.env, "GCE_METADATA_ROOT": host, "CLOUDSDK_CONFIG": str(tmp_path)}

    def gcloud(*arguments: str) -> str:
        done = subprocess.run(
            ["gcloud", *arguments], env=env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert gcloud("auth", "print-access-token") == "local-cloud"
    token = gcloud("auth", "print-identity-token", "--audiences=https://service.example")
    assert google.auth.jwt.decode(token, verify=False)["aud"] == "https://service.example"
    assert gcloud("config", "get", "project") == PROJECT


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
