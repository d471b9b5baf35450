"""Run the local cloud: `python -m local.cloud --port 8700 --data .local/cloud`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys

from local.cloud.config import CloudConfig
from local.cloud.faults.fault import NotAFault
from local.cloud.folder import FolderTaken
from local.cloud.options import faults_of_environment, images_of, parser
from local.cloud.server import serve


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        faults = [*faults_of_environment(os.environ), *options.faults]
        listener = _listen(options.host, options.port)
        # The server stops in order on a signal and then raises it once more, for us to leave by.
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: sys.exit(0))
        serve(_config(options, listener), listener, faults)
    except (NotAFault, PortTaken, FolderTaken) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class PortTaken(Exception):
    """Nobody can listen there; the message says why and what to do."""


def _config(options: argparse.Namespace, listener: socket.socket) -> CloudConfig:
    return CloudConfig(
        data=options.data,
        port=listener.getsockname()[1],
        host=options.host,
        project=options.project,
        images=images_of(options),
        refuse_active_job_name=options.refuse_active_job_name,
        pubsub=options.pubsub,
        streaming_bundle=options.streaming_bundle,
        streaming_ack=options.streaming_ack,
        streaming_buffer_s=options.streaming_buffer,
        monitoring_interval_s=options.monitoring_interval,
        monitoring_delay_s=options.monitoring_delay,
    )


def _listen(host: str, port: int) -> socket.socket:
    """A bound listening socket, so that a taken port is known before anything starts.

    Raises PortTaken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"Port {port} on {host} cannot be used ({error.strerror}): "
            "choose another with --port, or 0 for any free one."
        ) from error
    return listener


if __name__ == "__main__":
    sys.exit(main())
