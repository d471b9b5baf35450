"""The input contract applied to rows: types, missing values, and what values are allowed."""

from beam_jobs.contract.contract import Contract
from beam_jobs.contract.types import arrow_type
from beam_jobs.contract.validation import validate

__all__ = ["Contract", "arrow_type", "validate"]
