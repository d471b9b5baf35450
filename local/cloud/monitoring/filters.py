"""Cloud Monitoring's filters: comparisons of types and labels, joined by AND, OR, NOT.

As in the service, NOT binds closest and OR closer than AND; AND may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local.cloud.http import ApiError, unsupported
from local.cloud.monitoring.metrics import METRICS, Metric
from local.cloud.monitoring.series import Labels

Field = tuple[str, str]
"""A side, `metric` or `resource`, and one of its labels; its type is the label ""."""
Facts = dict[Field, str]
Predicate = Callable[[Facts], bool]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<operator>!=|>=|<=|=~|!~|[=:<>(),.\-])
    | (?P<word>[^\s"'=!:<>(),.\-][^\s"'=!:<>(),.]*)
    )""",
    re.VERBOSE,
)
_RESERVED = ("AND", "OR", "NOT")
_DEEPEST = 50


@dataclass(frozen=True)
class Filter:
    """The one metric that a filter names, and which of its series it lets pass."""

    metric: Metric
    predicate: Predicate

    def chooses(self, resource: Labels, labels: Labels) -> bool:
        facts = {("metric", ""): self.metric.type, ("resource", ""): self.metric.resource.type}
        facts |= {("resource", key): value for key, value in resource.items()}
        facts |= {("metric", key): value for key, value in labels.items()}
        return self.predicate(facts)


def parse_filter(text: str) -> Filter:
    """Raises ApiError: 400 for what the service would refuse, 501 for what is missing here."""
    parser = _Parser(text)
    predicate = parser.conjunction()
    parser.expect_end()
    if len(parser.types) != 1:
        raise invalid(text, "The filter must specify a single metric type.")
    named = next(iter(parser.types))
    if named not in METRICS:
        raise unsupported(f"the metric {named}; it has {', '.join(sorted(METRICS))}")
    metric = METRICS[named]
    for side, label in parser.fields:
        labels = metric.labels if side == "metric" else metric.resource.labels
        if label and label not in labels:
            raise invalid(
                text,
                f"The {side} {metric.type if side == 'metric' else metric.resource.type} has no "
                f"label {label}; it has {', '.join(labels) or 'none'}.",
            )
    return Filter(metric, predicate)


def invalid(text: str, why: str) -> ApiError:
    """The service's answer to a filter that it does not understand."""
    return ApiError(400, f'Field filter had an invalid value of "{text}": {why}', "badRequest")


class _Parser:
    """Recursive descent; notes the metric types and the labels that it meets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = self._depth = 0
        self.types: set[str] = set()
        self.fields: set[Field] = set()

    def conjunction(self) -> Predicate:
        parts = [self._disjunction()]
        while self._peek() not in (None, ("operator", ")")):
            self._take_word("AND")
            parts.append(self._disjunction())
        return lambda facts: all(part(facts) for part in parts)

    def expect_end(self) -> None:
        if self._peek() is not None:
            raise invalid(self._text, f"Unexpected {self._peek()}.")

    def _disjunction(self) -> Predicate:
        parts = [self._negation()]
        while self._take_word("OR"):
            parts.append(self._negation())
        return lambda facts: any(part(facts) for part in parts)

    def _negation(self) -> Predicate:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise invalid(self._text, "It is nested too deeply.")
        predicate = self._operand()
        self._depth -= 1
        return predicate

    def _operand(self) -> Predicate:
        if self._take_word("NOT") or self._take("-"):
            inner = self._negation()
            return lambda facts: not inner(facts)
        if self._take("("):
            inner = self.conjunction()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        field = self._field()
        self.fields.add(field)
        if self._take("="):
            test = self._test(field)
        elif self._take("!="):
            inner = self._test(None)
            return lambda facts: not inner(facts.get(field, ""))
        elif self._take(":"):
            part = self._value()
            test = _substring(part)
        else:
            raise unsupported(f"the comparison at {self._rest()} in a filter")
        return lambda facts: test(facts.get(field, ""))

    def _field(self) -> Field:
        path = [self._value()]
        while self._take("."):
            path.append(self._value())
        match path:
            case [("metric" | "resource") as side, "type"]:
                return side, ""
            case [("metric" | "resource") as side, "label" | "labels", name]:
                return side, name
            case ["project"]:
                return "resource", "project_id"
        raise unsupported(f"the selector {'.'.join(path)} in a filter")

    def _test(self, field: Field | None) -> Callable[[str], bool]:
        """What stands to the right of = or !=: a value, or a function of values."""
        quoted = (self._peek() or ("", ""))[0] == "string"
        value = self._value()
        while self._take("."):
            value += "." + self._value()
        if quoted or not self._take("("):
            if field == ("metric", ""):
                self.types.add(value)
            return lambda actual: actual == value
        arguments = [self._value()]
        while self._take(","):
            arguments.append(self._value())
        self._expect(")")
        return self._function(value, arguments)

    def _function(self, name: str, arguments: list[str]) -> Callable[[str], bool]:
        first = arguments[0]
        match name:
            case "one_of":
                return lambda actual: actual in arguments
            case "has_substring":
                return _substring(first)
            case "starts_with":
                return lambda actual: actual.startswith(first)
            case "ends_with":
                return lambda actual: actual.endswith(first)
            case "monitoring.regex.full_match":
                return _full_match(self._text, first)
        raise unsupported(f"the function {name} in a filter")

    def _value(self) -> str:
        kind, text = self._peek() or ("end", "its end")
        if kind not in ("string", "word") or (kind == "word" and text in _RESERVED):
            raise invalid(self._text, f"Could not parse it at {text}.")
        self._next += 1
        return re.sub(r"\\(.)", r"\1", text[1:-1]) if kind == "string" else text

    def _take(self, operator: str) -> bool:
        return self._take_token(("operator", operator))

    def _take_word(self, word: str) -> bool:
        return self._take_token(("word", word))

    def _take_token(self, token: tuple[str, str]) -> bool:
        found = self._peek() == token
        self._next += found
        return found

    def _expect(self, operator: str) -> None:
        if not self._take(operator):
            raise invalid(self._text, f"Expected {operator} at {self._rest()}.")

    def _rest(self) -> str:
        return " ".join(text for _, text in self._tokens[self._next :]) or "its end"

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    end = len(text.rstrip())
    position = 0
    while position < end:
        found = _TOKEN.match(text, position)
        if not found:
            raise invalid(text, f"Could not parse it at {text[position:]}.")
        position = found.end()
        assert found.lastgroup
        yield found.lastgroup, found[found.lastgroup]


def _substring(part: str) -> Callable[[str], bool]:
    return lambda actual: part in actual


def _full_match(text: str, pattern: str) -> Callable[[str], bool]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise invalid(text, f"{pattern} is no regular expression: {error}.") from error
    return lambda actual: expression.fullmatch(actual) is not None
