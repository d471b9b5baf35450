"""Input files to blocks of rows, every record accounted for."""

from beam_jobs.reading.errors import InputFileError
from beam_jobs.reading.inspection import inspect
from beam_jobs.reading.layout import ByteRange, SourceLayout
from beam_jobs.reading.reader import read

__all__ = ["ByteRange", "InputFileError", "SourceLayout", "inspect", "read"]
