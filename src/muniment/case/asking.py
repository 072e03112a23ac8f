"""Asking an authority over HTTP: bounded in time and size, and never more than one line of error.

Nothing here is believed: what comes back is judged in `custody`.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from muniment.errors import InputError, MunimentError, UsageError

AGENT: Final = "muniment"
Key = TypeVar("Key")
Value = TypeVar("Value")


class StatusError(InputError):
    """An answer with another HTTP status than 200, and the beginning of its body."""

    def __init__(self, what: str, *, subject: str, status: int, body: bytes) -> None:
        super().__init__(what, subject=subject)
        self.status, self.body = status, body


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An authority is what its address says; another address is named by a person."""

    def redirect_request(self, *_: Any) -> None:
        return None


def check_url(url: str) -> str:
    """The address as it stands, refused when it is none.

    Raises:
        UsageError: if it is no http(s) address.
    """
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or not url.isascii() or not url.isprintable() or " " in url or "@" in url:
        raise UsageError(
            "is no http or https address", subject=url[:80], remedy="Give it whole, with https://."
        )
    return url


def ask(
    url: str,
    body: bytes | None,
    *,
    most_bytes: int,
    timeout_s: float,
    headers: Mapping[str, str],
) -> bytes:
    """The body of the answer to one request; POST when there is a body, else GET.

    Raises:
        InputError: in one clause, for whatever came instead.
    """
    request = urllib.request.Request(url, body, {"User-Agent": AGENT, **headers})
    opener = urllib.request.build_opener(_NoRedirect)
    deadline, body_of_error = time.monotonic() + timeout_s, b""
    try:
        with opener.open(request, timeout=timeout_s) as response:
            parts, size = list[bytes](), 0
            while part := response.read1(65536):
                parts.append(part)
                size += len(part)
                if size > most_bytes:
                    raise InputError(f"sent more than {most_bytes:,} bytes", subject=url)
                if time.monotonic() > deadline:
                    raise TimeoutError
            return b"".join(parts)
    except urllib.error.HTTPError as error:
        with contextlib.suppress(OSError, http.client.HTTPException):
            body_of_error = error.read(200)
        error.close()
        what = f"answered with HTTP status {error.code}"
        raise StatusError(what, subject=url, status=error.code, body=body_of_error) from error
    except urllib.error.URLError as error:
        raise InputError(_reason(error.reason, timeout_s), subject=url) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise InputError(_reason(error, timeout_s), subject=url) from error


def _reason(error: object, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"gave no answer within {timeout_s:g} s"
    if isinstance(error, http.client.HTTPException | ValueError):
        return "does not speak HTTP"
    words = str(getattr(error, "strerror", None) or error).strip().lower()
    return f"cannot be reached ({words[:120]})"


def all_at_once(
    tasks: Mapping[Key, Callable[[], Value]], *, deadline_s: float
) -> dict[Key, Value | MunimentError]:
    """Run every task beside the others, none longer than the deadline: one slow server must not hold
    up the rest, nor the work. What is late is left behind."""
    results: dict[Key, Value | MunimentError] = {}

    def run(key: Key, task: Callable[[], Value]) -> None:
        try:
            results[key] = task()
        except MunimentError as error:
            results[key] = error

    # Daemons: one that hangs on a socket must not keep the program from ending.
    threads = {
        key: threading.Thread(target=run, args=(key, task), daemon=True)
        for key, task in tasks.items()
    }
    for thread in threads.values():
        thread.start()
    end = time.monotonic() + deadline_s
    for thread in threads.values():
        thread.join(max(0.0, end - time.monotonic()))
    late = InputError(f"gave no answer within {deadline_s:g} s")
    return {key: results.get(key, late) for key in tasks}
