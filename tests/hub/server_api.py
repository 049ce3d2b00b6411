"""What a student does on a hub, without a browser: the requests that nbgrader's page sends to the student's server."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from typing import Any

from tests import courses
from tests.courses import NAME
from tests.hub.jupyterhub import START_SECONDS, Hub
from tests.watch.exchange import SAMPLES

EXERCISE = {"course_id": "rnn", "assignment_id": NAME}


def ask(hub: Hub, method: str, path: str, **values: str) -> Any:
    """Send a request to the hub, or to a server behind it, and return the answer."""
    request = urllib.request.Request(
        f"{hub.address}{path}",
        method=method,
        data=urllib.parse.urlencode(values).encode() if values else None,
        headers={"Authorization": f"token {hub.secret}"},
    )
    with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
        return json.loads(answer.read() or "null")


def start_server(hub: Hub, student: str) -> None:
    """Start a student's server, and fetch the exercise there."""
    user = f"/hub/api/users/{student}"
    ask(hub, "POST", user)
    ask(hub, "POST", f"{user}/server")
    while not ask(hub, "GET", user)["servers"][""]["ready"]:
        time.sleep(0.1)
    ask(hub, "POST", f"/user/{student}/assignments/fetch", **EXERCISE)


def hand_in_and_fetch(hub: Hub, student: str, sample: str) -> str:
    """Submit a sample, wait for its page in the exchange, fetch feedback, and return the page."""
    work, pages = hub.homes / student / NAME, hub.course.parent / "exchange" / "rnn" / "feedback"
    before, fetched = set(pages.glob("*.html")), set(work.glob("feedback/*/*.html"))
    notebook = courses.notebook_from_script(SAMPLES / sample / f"{NAME}.py")
    (work / f"{NAME}.ipynb").write_text(json.dumps(notebook))
    ask(hub, "POST", f"/user/{student}/assignments/submit", **EXERCISE)
    deadline = time.monotonic() + START_SECONDS
    while not set(pages.glob("*.html")) - before:
        assert time.monotonic() < deadline, hub.log.read_text(errors="replace")[-3000:]
        time.sleep(0.1)
    ask(hub, "POST", f"/user/{student}/assignments/fetch_feedback", **EXERCISE)
    [page] = set(work.glob("feedback/*/*.html")) - fetched
    return page.read_text()
