"""HTTP sessions whose requests all come to an end."""

from __future__ import annotations

from typing import Any

from google.auth.transport.requests import AuthorizedSession

LONGEST_ANSWER_S = 150.0
"""More than any request of ours takes: what takes longer is a job, which is asked about."""
_REFRESH_S = 300


class BoundedSession(AuthorizedSession):
    """BigQuery's client waits without end for an answer that was lost on its way, unless each call
    of it says how long; its retries begin where a wait is over."""

    def __init__(self, credentials: Any) -> None:
        super().__init__(credentials, refresh_timeout=_REFRESH_S)
        self.configure_mtls_channel()

    def send(self, request: Any, **kwargs: Any) -> Any:
        kwargs["timeout"] = kwargs.get("timeout") or LONGEST_ANSWER_S
        return super().send(request, **kwargs)
