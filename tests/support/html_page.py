"""A page as a browser's parser sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Table:
    """The cells of one table, row by row, the head among them."""

    id: str
    rows: list[list[str]] = field(default_factory=list)


class Page(HTMLParser):
    """Tags, attributes, text and tables of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.tables: list[Table] = []
        self._texts: list[str] = []
        self._open: list[Table] = []
        self._in_cell = False
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        return " ".join("".join(self._texts).split())

    def table(self, id_: str) -> list[list[str]]:
        [found] = [table.rows for table in self.tables if table.id == id_]
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "table":
            self._open.append(Table(dict(attrs).get("id") or ""))
            self.tables.append(self._open[-1])
        elif tag == "tr":
            self._open[-1].rows.append([])
        elif tag in ("td", "th"):
            self._open[-1].rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._open.pop()
        elif tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        self._texts.append(data)
        if self._in_cell:
            self._open[-1].rows[-1][-1] += data
