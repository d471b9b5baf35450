"""The logs as a person reads them."""

from __future__ import annotations

from pathlib import Path

from local.stack.logs import log_lines


def test_the_last_hundred_lines_of_one_log_come_bare(tmp_path: Path) -> None:
    log = tmp_path / "cloud.log"
    log.write_text("".join(f"line {n}\n" for n in range(500)))
    shown = list(log_lines({"cloud": log}, follow=False))
    assert shown == [f"line {n}" for n in range(400, 500)]


def test_lines_of_several_logs_say_whose_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("hello\n")
    (tmp_path / "b.log").write_text("there\n")
    logs = {"cloud": tmp_path / "a.log", "scheduler": tmp_path / "b.log"}
    assert list(log_lines(logs, follow=False)) == ["cloud     | hello", "scheduler | there"]


def test_a_log_that_is_not_there_yet_has_no_lines(tmp_path: Path) -> None:
    assert list(log_lines({"cloud": tmp_path / "cloud.log"}, follow=False)) == []


def test_a_very_long_log_is_not_read_whole_and_bad_bytes_do_no_harm(tmp_path: Path) -> None:
    log = tmp_path / "cloud.log"
    log.write_bytes(b"x" * 1_000_000 + b"\n" + b"\xff bad\nlast\n")
    shown = list(log_lines({"cloud": log}, follow=False))
    assert shown[-2:] == ["� bad", "last"]
    assert sum(map(len, shown)) < 100_000


def test_following_shows_new_lines_and_those_of_a_log_begun_afresh(tmp_path: Path) -> None:
    log = tmp_path / "cloud.log"
    log.write_text("old\n")
    lines = log_lines({"cloud": log}, follow=True)
    assert next(lines) == "old"
    with log.open("a") as file:
        file.write("new\nhalf a li")
    assert next(lines) == "new"
    with log.open("a") as file:
        file.write("ne\n")
    assert next(lines) == "half a line"
    log.replace(tmp_path / "cloud.previous.log")
    log.write_text("a longer line than all of the lines before it together\n")
    assert next(lines) == "a longer line than all of the lines before it together"
