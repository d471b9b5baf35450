"""Small JSON calls to the stack's own servers."""

from __future__ import annotations

import json
from typing import Any

import requests


def loopback_session() -> requests.Session:
    """A session that ignores proxies of the environment: these servers are on this machine."""
    session = requests.Session()
    session.trust_env = False
    return session


def get_json(url: str, timeout: float = 2.0) -> dict[str, Any] | None:
    """The JSON object behind a URL; none while the server does not answer with one."""
    text = get_text(url, timeout)
    if text is None:
        return None
    try:
        body = json.loads(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) else {}


def get_text(url: str, timeout: float = 2.0) -> str | None:
    """What lies behind a URL, blanks around it aside; none while the server does not serve it."""
    try:
        with loopback_session() as session:
            response = session.get(url, timeout=timeout)
    except requests.RequestException:
        return None
    return response.text.strip() if response.status_code == 200 else None
