"""The one-machine stack: PostgreSQL, the local cloud and Airflow, started and stopped as one."""

from local.stack.errors import StackError
from local.stack.settings import StackSettings
from local.stack.stack import ComponentStatus, Stack

__all__ = ["ComponentStatus", "Stack", "StackError", "StackSettings"]
