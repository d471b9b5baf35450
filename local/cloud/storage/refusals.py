"""What a call to Cloud Storage may ask for beside its work, and does not get here: by name."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from local.cloud.http import ApiError, unsupported

_QUERY = {
    "kmsKeyName": "customer-managed encryption keys (kmsKeyName)",
    "destinationKmsKeyName": "customer-managed encryption keys (destinationKmsKeyName)",
    "predefinedAcl": "access control lists (predefinedAcl)",
    "predefinedDefaultObjectAcl": "access control lists (predefinedDefaultObjectAcl)",
    "destinationPredefinedAcl": "access control lists (destinationPredefinedAcl)",
    "overrideUnlockedRetention": "retention (overrideUnlockedRetention)",
}
_HEADERS = {
    "x-goog-encryption-algorithm": "customer-supplied encryption keys",
    "x-goog-copy-source-encryption-algorithm": "customer-supplied encryption keys",
}
_XML_UPLOAD = ("uploads", "uploadId")


def refusal(query: Mapping[str, str], headers: Mapping[str, str]) -> ApiError | None:
    """501 for the first of a call's parameters or headers that would have to do something."""
    asked = [said for name, said in _QUERY.items() if query.get(name)]
    asked += [said for name, said in _HEADERS.items() if name in headers]
    return unsupported(asked[0]) if asked else None


class XmlUploads(Route):
    """Multipart uploads of the XML API, wherever their object lies: refused."""

    def __init__(self) -> None:
        super().__init__("/{path:path}", _refuse_xml, methods=["POST", "PUT", "GET", "DELETE"])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or not _is_xml_upload(scope["query_string"].decode("latin-1")):
            return Match.NONE, {}
        return super().matches(scope)


def _is_xml_upload(query: str) -> bool:
    return any(part.partition("=")[0] in _XML_UPLOAD for part in query.split("&"))


def _refuse_xml(_: Request) -> Response:
    raise unsupported("multipart uploads of Cloud Storage's XML API")
