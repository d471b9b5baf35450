"""References to variables in a container spec: $(NAME), as Kubernetes reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_REFERENCE = re.compile(r"\$\$|\$\((\w+)\)")


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """The text with the values of the variables that it names; an unknown one stays as it is, and
    $$ is a dollar."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return variables.get(found[1], found[0])

    return _REFERENCE.sub(value, text)


def environment(service: Mapping[str, str], given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The service's variables and those of the spec, in turn: a later one may name an earlier."""
    known = dict(service)
    for name, value in given:
        known[name] = expanded(value, known)
    return known
