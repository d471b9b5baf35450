"""The endpoint that arms faults, and the one where jobs ask for theirs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.faults.armed import Faults
from local.cloud.faults.fault import NotAFault, fault_of
from local.cloud.faults.in_jobs import REACHED_PATH
from local.cloud.http import ApiError, json_body

ADMIN_PATH = "/_local/faults"


class FaultsApi:
    """`POST` arms a fault (fields of `Fault`), `GET` shows all, `DELETE` disarms one or all."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def routes(self) -> list[BaseRoute]:
        return [
            Route(ADMIN_PATH, self.arm, methods=["POST"]),
            Route(ADMIN_PATH, self.show, methods=["GET"]),
            Route(ADMIN_PATH, self.disarm, methods=["DELETE"]),
            Route(REACHED_PATH, self.reached, methods=["POST"]),
            Route(ADMIN_PATH + "/{id}", self.disarm, methods=["DELETE"]),
        ]

    async def arm(self, request: Request) -> Response:
        try:
            fault = fault_of(await json_body(request))
        except NotAFault as error:
            raise ApiError(400, str(error)) from error
        return JSONResponse(self._faults.arm(fault))

    def show(self, _: Request) -> Response:
        return JSONResponse({"faults": self._faults.shown()})

    def disarm(self, request: Request) -> Response:
        self._faults.disarm(request.path_params.get("id"))
        return Response(status_code=204)

    async def reached(self, request: Request) -> Response:
        """A job's process is at a named point: which fault strikes it there, if any."""
        where = await json_body(request)
        fault = self._faults.at_job(where["point"], where["job"])
        if fault is None:
            return JSONResponse({})
        return JSONResponse(fault.model_dump(include={"kind", "seconds"}))
