"""A taken port is named, with who holds it and the way out."""

from __future__ import annotations

import os
import socket
from contextlib import closing

import pytest

from local.stack.errors import StackError
from local.stack.ports import free_port, is_free, require_free


def test_a_port_that_nothing_listens_on_is_free() -> None:
    port = free_port()
    assert is_free(port)
    require_free(port, "NIGHTSTREAM_CLOUD_PORT", "cloud")


def test_a_taken_port_is_refused_with_holder_and_remedy() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        with pytest.raises(StackError) as refusal:
            require_free(port, "NIGHTSTREAM_CLOUD_PORT", "cloud")
    assert f"port {port}, meant for cloud, is held by process {os.getpid()}" in str(refusal.value)
    assert "NIGHTSTREAM_CLOUD_PORT=" in refusal.value.remedy


def test_a_port_taken_on_every_address_is_taken() -> None:
    with closing(socket.create_server(("0.0.0.0", 0))) as server:
        assert not is_free(server.getsockname()[1])
