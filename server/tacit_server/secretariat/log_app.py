"""The log over HTTP, exactly as C2SP tlog-tiles says: public, unsigned, cacheable."""

from __future__ import annotations

import gzip

from fastapi import FastAPI, Request
from starlette.responses import Response

from tacit_server.errors import NotFoundError
from tacit_server.secretariat.log import LogFiles, read_tile

_FOREVER = "public, max-age=31536000, immutable"  # a tile never changes
_FRESH = "no-cache"  # may be kept, but only used once the server has confirmed it


def add_log(app: FastAPI, files: LogFiles) -> None:
    """Add ``/log/checkpoint`` and ``/log/tile/…``."""

    @app.api_route("/log/checkpoint", methods=["GET", "HEAD"])
    def checkpoint() -> Response:
        note = files.published()
        if note is None:
            raise NotFoundError("the log has no checkpoint yet: the trustees have not cosigned one")
        return Response(note.encode(), media_type="text/plain; charset=utf-8", headers={"Cache-Control": _FRESH})

    @app.api_route("/log/tile/{path:path}", methods=["GET", "HEAD"])
    def tile(request: Request, path: str) -> Response:
        content, name = read_tile(files, f"tile/{path}")
        headers = {"Cache-Control": _FOREVER}
        if name.level is None:  # hashes do not compress, entries do
            headers["Vary"] = "Accept-Encoding"
            if _takes_gzip(request.headers.get("accept-encoding", "")):
                content = gzip.compress(content, 5, mtime=0)
                headers["Content-Encoding"] = "gzip"
        return Response(content, media_type="application/octet-stream", headers=headers)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, weight = part.strip().partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
