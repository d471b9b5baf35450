"""Logging in the job process and its workers: all of it to the log, errors to the messages."""

from __future__ import annotations

import logging
import time

from local.cloud.dataflow.folder import JobFolder

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(process)d %(name)s: %(message)s"
_MOST_CHARACTERS = 10_000


class MessageHandler(logging.Handler):
    """Ships errors as job messages."""

    def __init__(self, folder: JobFolder) -> None:
        super().__init__(logging.ERROR)
        self._folder = folder

    def emit(self, record: logging.LogRecord) -> None:
        self._folder.add_message("ERROR", self.format(record)[-_MOST_CHARACTERS:])


def start_logging(folder: JobFolder) -> None:
    """Sets up the root logger of this process, whose standard error is the job's log."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format=_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    logging.getLogger().addHandler(MessageHandler(folder))
