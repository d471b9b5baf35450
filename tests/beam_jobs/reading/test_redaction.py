"""What redaction leaves of a payload, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.reading.redaction import Redactor
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from tests.support.specs import a_service

FIELDS = [
    {"name": "id", "type": "string", "passthrough": True},
    {"name": "name", "type": "string", "passthrough": True},
    {"name": "weeks", "type": "float"},
]
COLUMNS = ("weeks", "name", "id")
SECRET = "ZQX"


def redactor(*fields: str, **format_: object) -> Redactor:
    spec = a_service(input={"fields": FIELDS, "redact": fields, "format": {**format_}})
    found = Redactor.of(spec.input, COLUMNS)
    assert found is not None
    return found


def test_without_fields_there_is_nothing_to_redact() -> None:
    assert Redactor.of(a_service().input, COLUMNS) is None


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_secret_in_any_payload_is_gone_or_in_another_field(before: bytes, after: bytes) -> None:
    payload = before + b"," + SECRET.encode() + b"," + after
    for format_ in ({"type": "csv"}, {"type": "json"}):
        left = redactor("id", "name", "weeks", **format_).payload(payload)
        assert SECRET.encode() not in left


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20))
def test_the_other_columns_stay_as_they_were(text: str) -> None:
    quoted = '"' + text.replace('"', '""') + '"'
    left = redactor("name", type="csv").payload(f"40,{SECRET},{quoted}".encode()).decode()
    assert left.startswith("40,[redacted],")
    assert SECRET not in left
    assert redactor("name", type="csv").payload(left.encode()).decode() == left


def test_messages_that_may_quote_a_field_say_nothing() -> None:
    of_feature, of_name = redactor("weeks", type="csv"), redactor("name", type="csv")
    failed = (Stage.PREDICT, ErrorCode.PREDICTION_FAILED, None, "cannot score 41.5")
    assert "41.5" not in of_feature.message(*failed)
    assert of_name.message(*failed) == "cannot score 41.5", "no model sees it"
    refused = (Stage.WRITE, ErrorCode.WRITE_REFUSED, "name", f"invalid: bad value {SECRET}")
    assert SECRET not in of_name.message(*refused)
    unreadable = (Stage.READ, ErrorCode.UNREADABLE, None, f"KeyError: {SECRET}")
    assert SECRET not in of_name.message(*unreadable)


def test_a_redacted_field_has_to_be_one() -> None:
    with pytest.raises(Exception, match="redact names 'age', which is no field"):
        a_service(input={"redact": ["age"]})


def test_what_names_requests_cannot_be_redacted() -> None:
    streaming = {"topic": "t-in", "subscription": "t-sub", "request_id": {"field": "id"}}
    with pytest.raises(Exception, match=r"request_id\.field 'id' is redacted"):
        a_service(input={"redact": ["id"]}, streaming=streaming)
