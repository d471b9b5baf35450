"""What a team declares: one spec per scoring service, one environment per place it runs in."""

from beam_jobs.spec.environment import EnvironmentSpec, NotifierSpec
from beam_jobs.spec.errors import Problem, SpecError
from beam_jobs.spec.fields import Field, FieldType
from beam_jobs.spec.loading import load_environment, load_service, load_services
from beam_jobs.spec.service import ServiceSpec

__all__ = [
    "EnvironmentSpec",
    "Field",
    "FieldType",
    "NotifierSpec",
    "Problem",
    "ServiceSpec",
    "SpecError",
    "load_environment",
    "load_service",
    "load_services",
]
