"""The page that lists every key is made from the models."""

from __future__ import annotations

from pathlib import Path

from beam_jobs.spec.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "spec.md"


def test_the_page_is_what_the_models_say() -> None:
    remedy = "make it again: python -m beam_jobs.spec.reference > docs/spec.md"
    assert PAGE.read_text() == reference(), remedy


def test_every_declared_object_has_its_section() -> None:
    page = reference()
    for name in ("ServiceSpec", "Field", "CsvFormat", "QuietRule", "EnvironmentSpec"):
        assert f"### {name}\n" in page
    assert '| `when_missing` | `fail` \\| `skip` \\| `empty` | `"fail"` |' in page
