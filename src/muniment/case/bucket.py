"""Second copies in a bucket of an S3 server. Address and keys come from the usual AWS_* variables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from muniment.errors import InputError, StorageError, UsageError

if TYPE_CHECKING:
    from obstore.store import S3Store

ADDRESS: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9._-]+)*)/?")
#: What is larger is sent in parts, for which the server is not asked to refuse: it is asked first.
WHOLE_BYTES: Final = 64 << 20
PART_BYTES: Final = 16 << 20
READ_BYTES: Final = 1 << 20
TIMEOUT: Final = "60s"


class Bucket:
    """A bucket, or what lies below a prefix of one.

    Raises:
        UsageError: if the address is none, or the library is not installed.
    """

    kind = "s3"
    same_device = None

    def __init__(self, address: str, environment: Mapping[str, str] = os.environ) -> None:
        match = ADDRESS.fullmatch(address)
        endpoint = environment.get("AWS_ENDPOINT_URL")
        if endpoint and "@" in endpoint:
            raise UsageError("holds a password", subject="AWS_ENDPOINT_URL", remedy="Leave it out.")
        if match is None:
            raise UsageError(
                "is no bucket", subject=address[:100], remedy="It looks like s3://bucket/folder."
            )
        # The server is part of the place: buckets of one name stand at many.
        self.place = f"{address.rstrip('/')} at {endpoint}" if endpoint else address.rstrip("/")
        try:
            from obstore.store import S3Store
        except ImportError as error:
            raise UsageError(
                "needs the library for buckets",
                subject=address,
                remedy="Install it with `pip install 'muniment[s3]'`.",
            ) from error
        options: dict[str, Any] = {
            "client_options": {
                "timeout": TIMEOUT,
                "connect_timeout": "10s",
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
            },
            "retry_config": {"max_retries": 2},
        }
        if endpoint:
            options["endpoint"] = endpoint
            options["virtual_hosted_style_request"] = False
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
        self._store: S3Store = S3Store(
            match[1], prefix=match[2].strip("/") or None, region=region or "us-east-1", **options
        )

    def _size(self, key: str) -> int | None:
        import obstore

        try:
            return int(obstore.head(self._store, key)["size"])
        except FileNotFoundError:
            return None
        except _errors() as error:
            raise self._unread(error) from error

    def put(self, key: str, stream: BinaryIO, size: int) -> bool:
        """See `targets.Target`."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            if size <= WHOLE_BYTES:
                obstore.put(self._store, key, stream.read(), mode="create", use_multipart=False)
            elif self._size(key) is not None:
                return False
            else:
                obstore.put(self._store, key, stream, use_multipart=True, chunk_size=PART_BYTES)
        except AlreadyExistsError:
            return False
        except _errors() as error:
            raise StorageError(
                f"cannot be written ({_short(error)})",
                subject=f"{self.place}: {key}",
                remedy="Check the keys, the bucket and the network, and run again.",
            ) from error
        return True

    def read(self, key: str) -> Iterator[bytes]:
        """See `targets.Target`."""
        import obstore

        try:
            for piece in obstore.get(self._store, key).stream(min_chunk_size=READ_BYTES):
                yield bytes(piece)
        except _errors() as error:
            raise self._unread(error) from error

    def remove(self, key: str) -> None:
        """See `targets.Target`."""
        import obstore

        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            pass
        except _errors() as error:
            raise StorageError(
                f"cannot be removed ({_short(error)})", subject=f"{self.place}: {key}"
            ) from error

    def sizes(self, below: str) -> dict[str, int]:
        """See `targets.Target`."""
        import obstore

        try:
            pages = obstore.list(self._store, prefix=below or None)
            return dict(sorted((one["path"], int(one["size"])) for page in pages for one in page))
        except _errors() as error:
            raise self._unread(error) from error

    def _unread(self, error: Exception) -> InputError:
        return InputError(
            f"cannot be read ({_short(error)})",
            subject=self.place,
            remedy="Check the address, the keys and the network.",
        )


def _errors() -> tuple[type[Exception], ...]:
    from obstore.exceptions import BaseError

    return (BaseError, OSError)


def _short(error: Exception) -> str:
    """The library's pages of text in one clause."""
    text = " ".join(str(error).split())
    status = re.search(r"status code: (\d+ [A-Za-z ]+)", text)
    if status:
        return f"HTTP status {status[1].strip()}"
    words = re.sub(r"https?://\S+", "the server", text.partition(" Debug source")[0])
    return words[:160]
