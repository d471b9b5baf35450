"""Fields that the spec redacts: no dead letter and no log holds their values."""

from __future__ import annotations

import json
import logging
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from examples.babyweight.births import load_births
from nightstream.replaying.trying import unreplayable
from tests.support.scored_night import NightFolder, babyweight

SECRET = "s3cr3t"
_FIELDS = babyweight().model_dump(mode="json")["input"]["fields"]
REDACT_KEY: dict[str, Any] = {"redact": ["key"]}
REDACT_AGE: dict[str, Any] = {"redact": ["mother_age", "key"]}


def births() -> pd.DataFrame:
    """Three rows; the second breaks the contract, all have keys that are nobody's business."""
    rows = load_births()[:3].reset_index(drop=True)
    rows["key"] = [f"{SECRET}-{number}" for number in range(3)]
    rows.loc[1, "mother_age"] = 71.25
    return rows


def lines(rows: pd.DataFrame, columns: list[str] | None = None) -> bytes:
    return rows.to_csv(index=False, columns=columns).encode()


def payloads(letters: pd.DataFrame) -> list[bytes]:
    return list(letters["payload"])


def test_a_csv_letter_keeps_all_but_the_redacted_fields(night: NightFolder) -> None:
    night.write("a.csv", lines(births()))
    in_order = births().columns.tolist()
    reversed_ = in_order[::-1]
    night.write("b.csv", lines(births(), reversed_))

    letters = night.score(input=REDACT_KEY).dead_letters

    assert len(letters) == 2
    assert not any(SECRET.encode() in payload for payload in payloads(letters))
    for payload, columns in zip(payloads(letters), (in_order, reversed_), strict=True):
        row = dict(zip(columns, payload.decode().split(","), strict=True))
        assert row["key"] == "[redacted]"
        assert float(row["mother_age"]) == 71.25
    assert set(letters["error_message"]) == {"mother_age: 71.25 is above the highest value 60"}


def test_a_message_does_not_quote_a_redacted_value(night: NightFolder) -> None:
    night.write("a.csv", lines(births()))
    [letter] = night.score(input=REDACT_AGE).dead_letters.to_dict("records")
    assert b"71.25" not in letter["payload"]
    assert letter["error_message"] == "mother_age: [redacted]"
    assert (letter["error_code"], letter["error_field"]) == ("out_of_range", "mother_age")


def test_what_cannot_be_taken_apart_goes_as_a_whole(night: NightFolder) -> None:
    night.write("a.csv", lines(births()[:1]) + f"{SECRET},only two\n".encode())
    [letter] = night.score(input=REDACT_KEY).dead_letters.to_dict("records")
    assert letter["error_code"] == "column_count"
    assert letter["payload"].startswith(b"[redacted] sha256=")
    assert letter["payload"].endswith(b" bytes=15")
    assert unreplayable(letter["error_code"], letter["payload"]) == "its payload is redacted"


def test_json_letters_are_redacted(night: NightFolder) -> None:
    rows = [json.dumps(row) for row in births().to_dict("records")]
    night.write("a.json", "\n".join([*rows, f'{{"key": "{SECRET}"']).encode())
    form = {"format": {"type": "json"}, "files": "*.json"}
    letters = night.score(input=form | REDACT_KEY).dead_letters
    by_code = dict(zip(letters["error_code"], payloads(letters), strict=True))
    assert json.loads(by_code["out_of_range"])["key"] == "[redacted]"
    assert json.loads(by_code["out_of_range"])["mother_age"] == 71.25
    assert by_code["not_json"].startswith(b"[redacted] sha256=")


def test_parquet_letters_are_redacted(night: NightFolder) -> None:
    pq.write_table(
        pa.Table.from_pandas(births(), preserve_index=False), night.write("a.parquet", b"")
    )
    form = {"format": {"type": "parquet"}, "files": "*.parquet"}
    [payload] = payloads(night.score(input=form | REDACT_KEY).dead_letters)
    assert json.loads(payload)["key"] == "[redacted]"


def test_predictions_are_what_they_were(night: NightFolder) -> None:
    night.write("a.csv", lines(births()))
    scored = night.score(input=REDACT_KEY)
    assert scored.predictions["key"].tolist() == [f"{SECRET}-0", f"{SECRET}-2"]
    assert scored.plan.run_key != night.plan().run_key


def test_no_log_holds_a_payload(
    night: NightFolder, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    night.write("a.csv", lines(births()) + f"{SECRET},only two\n".encode())
    with caplog.at_level(logging.DEBUG):
        night.score()
    said = "".join(capfd.readouterr())
    assert caplog.records
    assert SECRET not in caplog.text
    assert "71.25" not in caplog.text
    assert SECRET not in said
