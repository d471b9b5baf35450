"""Small JSON calls to the stack's own servers."""

from __future__ import annotations

from typing import Any

import requests


def loopback_session() -> requests.Session:
    """A session that ignores proxies of the environment: these servers are on this machine."""
    session = requests.Session()
    session.trust_env = False
    return session


def get_json(url: str, timeout: float = 2.0) -> dict[str, Any] | None:
    """The JSON object behind a URL; none while the server does not answer with one."""
    try:
        with loopback_session() as session:
            response = session.get(url, timeout=timeout)
        if response.status_code != 200:
            return None
        body = response.json()
    except (requests.RequestException, ValueError):
        return None
    return body if isinstance(body, dict) else {}
