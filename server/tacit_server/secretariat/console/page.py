"""Serve the public page: one template, one style sheet, no script, nothing from elsewhere.

The page is for everybody, so it is not signed for; it is made anew every few seconds at most, whoever asks how often.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache
from importlib import resources

from fastapi import FastAPI
from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape
from starlette.responses import Response

from tacit_server.secretariat.console.facts import PageFacts, page_facts
from tacit_server.secretariat.keeper import Keeper
from tacit_server.secretariat.log import LogFiles

FRESH_SECONDS = 2.0
_TEMPLATE = "page.html.j2"
HEADERS = {
    # Nothing may be loaded but our style sheet, and nobody may frame the page or take its address for a base.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def add_console(
    app: FastAPI, keeper: Keeper, files: LogFiles, *, monotonic: Callable[[], float] = time.monotonic
) -> None:
    """Add ``/`` and its style sheet."""
    cache = _Cache(keeper, files, monotonic)
    style = _read("static/style.css")

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    def page() -> Response:
        headers = {**HEADERS, "Cache-Control": "no-cache"}
        return Response(cache.html(), media_type="text/html; charset=utf-8", headers=headers)

    @app.api_route("/console/style.css", methods=["GET", "HEAD"], include_in_schema=False)
    def style_sheet() -> Response:
        headers = {**HEADERS, "Cache-Control": "public, max-age=3600"}
        return Response(style, media_type="text/css; charset=utf-8", headers=headers)


def render(facts: PageFacts) -> str:
    """Return the page; every value is escaped, and a name that the template does not know is an error."""
    return _environment().get_template(_TEMPLATE).render(page=facts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _read(f"templates/{name}")),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["grouped"] = lambda number: f"{number:,}"
    return environment


class _Cache:
    def __init__(self, keeper: Keeper, files: LogFiles, monotonic: Callable[[], float]) -> None:
        self._keeper, self._files, self._monotonic = keeper, files, monotonic
        self._lock, self._made, self._html = threading.Lock(), float("-inf"), ""

    def html(self) -> str:
        with self._lock:
            if self._monotonic() - self._made > FRESH_SECONDS:
                keys = {card.index: card.signing_key for card in self._keeper.trustees()}
                note = self._files.published()
                with self._keeper.view() as board:
                    facts = page_facts(board, self._keeper.group, note, keys, self._keeper.now())
                self._html, self._made = render(facts), self._monotonic()
            return self._html


def _read(name: str) -> str:
    return resources.files("tacit_server.secretariat.console").joinpath(name).read_text(encoding="utf-8")
