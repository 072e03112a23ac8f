"""A real S3 server (moto's) in a thread, and the same one before which conditions get lost."""

from __future__ import annotations

import logging
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

App = Callable[[dict[str, Any], Any], Any]
_SCOPE = "test/20260101/us-east-1/s3/aws4_request"
_SIGNED = f"AWS4-HMAC-SHA256 Credential={_SCOPE}, SignedHeaders=host, Signature=0"


def overwriting(app: App) -> App:
    """A server that takes no notice of If-None-Match, as some do."""

    def answer(environment: dict[str, Any], start: Any) -> Any:
        environment.pop("HTTP_IF_NONE_MATCH", None)
        return app(environment, start)

    return answer


class Server:
    """Where it is, what it was asked, and what it shall do wrong (`fault`: a status, or None)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[tuple[str, str]] = []
        self.fault: Callable[[dict[str, Any]], str | None] | None = None

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "a secret that is never recorded",
        }

    def put(self, key: str, data: bytes) -> None:
        request = urllib.request.Request(
            f"{self.url}/{key}", data, {"Authorization": _SIGNED}, method="PUT"
        )
        urllib.request.urlopen(request).close()


@contextmanager
def serving(change: Callable[[App], App] = lambda app: app) -> Iterator[Server]:
    """An S3 server with one bucket, `copies`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    inner = change(DomainDispatcherApplication(create_backend_app))
    known: list[Server] = []

    def app(environment: dict[str, Any], start: Any) -> Any:
        one = known[0]
        one.requests.append((environment["REQUEST_METHOD"], environment["PATH_INFO"]))
        status = one.fault(environment) if one.fault else None
        if status:
            start(status, [("Content-Length", "0")])
            return [b""]
        return inner(environment, start)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    known.append(Server(f"http://127.0.0.1:{server.server_port}"))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        reset = urllib.request.Request(f"{known[0].url}/moto-api/reset", b"", method="POST")
        urllib.request.urlopen(reset).close()
        known[0].put("copies", b"")
        known[0].requests.clear()
        yield known[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
