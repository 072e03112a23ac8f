"""One writer per case: an advisory lock on the log's folder itself, gone with the process."""

from __future__ import annotations

import fcntl
import os
from types import TracebackType

from muniment.errors import LockedError
from muniment.store import disk
from muniment.store.layout import MAX_LOG_FILE_BYTES, CaseFolder


class WriterLock:
    """Context manager; held from `__enter__` to `__exit__` or the process's end."""

    def __init__(self, folder: CaseFolder) -> None:
        self._folder = folder
        self._fd = -1

    def __enter__(self) -> WriterLock:
        disk.refuse_links(*self._folder.folders())
        disk.refuse_odd_files(*self._folder.files(), most_bytes=MAX_LOG_FILE_BYTES)
        with disk.storage(self._folder.entries):
            disk.make_folder(self._folder.entries)
            self._fd = os.open(self._folder.entries, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise LockedError(
                "another process is writing to this case",
                subject=str(self._folder.path),
                remedy="Wait until it has ended, then run again.",
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._fd)
