"""The page of a job for people."""

from __future__ import annotations

from collections import deque
from html import escape
from typing import Any

from local.cloud.dataflow import states
from local.cloud.dataflow.folder import JobFolder, Status

LOG_LINES = 200

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{refresh}
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem }}
h1 {{ font-size: 1.4rem }} h2 {{ font-size: 1.1rem; margin-top: 2rem }}
table {{ border-collapse: collapse }} td, th {{ padding: .2rem 1.5rem .2rem 0; text-align: left }}
th {{ font-weight: 600; color: #555 }}
pre {{ background: #f6f6f6; padding: 1rem; overflow-x: auto; font-size: 12px }}
.state {{ padding: .1rem .6rem; border-radius: 1rem; background: {colour}; color: #fff }}
</style></head><body>
<h1>{title} <span class="state">{state}</span></h1>
{facts}<h2>Labels</h2>{labels}<h2>Counters</h2>{counters}<h2>Messages</h2>{messages}
<h2>Log, last {lines} lines</h2><pre>{log}</pre>
</body></html>"""

_COLOURS = {states.DONE: "#188038", states.FAILED: "#c5221f", states.CANCELLED: "#5f6368"}


def page(job: dict[str, Any], status: Status, folder: JobFolder) -> str:
    """The page, as HTML; it reloads itself while the job runs."""
    ended = status.state in states.TERMINAL
    return _PAGE.format(
        title=escape(job["name"]),
        refresh="" if ended else '<meta http-equiv="refresh" content="3">',
        colour=_COLOURS.get(status.state, "#1a73e8"),
        state=escape(status.state.removeprefix("JOB_STATE_")),
        facts=_table(_facts(job, status)),
        labels=_table(sorted(job.get("labels", {}).items())),
        counters=_table(_counters(folder)),
        messages=_table(
            (f"{m['time']} {m['messageImportance'].removeprefix('JOB_MESSAGE_')}", m["messageText"])
            for m in folder.messages()
        ),
        lines=LOG_LINES,
        log=escape(_last_lines(folder)),
    )


def _facts(job: dict[str, Any], status: Status) -> list[tuple[str, str]]:
    return [
        ("Job id", job["id"]),
        ("Project", job["projectId"]),
        ("Location", job["location"]),
        ("Created", job["createTime"]),
        ("Running since", status.started or "not yet"),
        ("State since", status.time),
    ]


def _counters(folder: JobFolder) -> list[tuple[str, str]]:
    return [
        (f"{m['name']['context']['namespace']} / {m['name']['name']}", str(m["scalar"]))
        for m in folder.metrics()["metrics"]
        if m["name"]["origin"] == "user"
        and "scalar" in m
        and "tentative" not in m["name"]["context"]
    ]


def _last_lines(folder: JobFolder) -> str:
    if not folder.log.exists():
        return ""
    with folder.log.open(errors="replace") as log:
        return "".join(deque(log, LOG_LINES))


def _table(rows: Any) -> str:
    body = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>"
        for name, value in rows
    )
    return f"<table>{body}</table>" if body else "<p>None.</p>"
