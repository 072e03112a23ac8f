"""The posts of an export, from the kept original: a step that is done once for each export object."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

import msgspec

from muniment.case import observed
from muniment.case.index import Index
from muniment.case.progress import Progress
from muniment.case.tally import Tally
from muniment.collect.telegram import read_posts
from muniment.custody.log import LogWriter
from muniment.custody.vault import Vault
from muniment.errors import InputError, IntegrityError, MunimentError
from muniment.model import canonical
from muniment.model.collect import Name, Outcome, Post

STEP: Final = "telegram_desktop.posts"
STEP_VERSION: Final = "2"
_ABSENT: Final = frozenset({"not_included", "missing", "empty"})

MissCallback = Callable[[Name, Outcome, MunimentError], None]
_DONE: Final = "SELECT 1 FROM observation WHERE object=? AND step=? AND step_version=?"


def record_posts(
    log: LogWriter,
    vault: Vault,
    index: Index,
    progress: Progress,
    tally: Tally,
    acquisition: str,
    digest: str,
    folder: str,
    sizes: dict[str, int],
    miss: MissCallback,
) -> None:
    """Record every post of one export, unless the log has an entry that this was done.

    Posts that an interrupted run recorded are passed over. The export is read from the store, so
    that byte ranges speak of the kept bytes.

    Args:
        digest: the export's object.
        folder: the export's folder within the source ("" at its top).
        sizes: size in bytes of every regular file of the source by path (in NFC, as the record has it).
        miss: logs what could not be read.
    """
    if index.rows(_DONE, digest, STEP, STEP_VERSION):
        return
    rows = index.rows("SELECT start_byte FROM post WHERE export=?", digest)
    recorded = {start for (start,) in rows}
    prefix = f"{folder}/" if folder else ""
    name = Name(f"{prefix}result.json")
    started_s, posts, troubles = time.monotonic(), 0, 0
    progress.start("Reading posts", None, "posts")
    with ExitStack() as stack:
        try:
            export = stack.enter_context(vault.open(digest, by=STEP, purpose="read its posts"))
        except IntegrityError as error:
            # The next run tries again: nothing says that this step was done.
            why = f"its posts cannot be read: {error.subject}: {error.what}"
            return miss(name, Outcome.FAILED, InputError(why, remedy=error.remedy))
        for one in read_posts(export, lambda path: sizes.get(canonical.text(prefix + path))):
            if isinstance(one, Post):
                posts += 1
                if one.start_byte not in recorded:
                    _record(log, acquisition, digest, one)
                    _count(tally, one)
                    progress.advance()
            else:
                troubles += 1
                is_unsafe = one.reason.startswith("unsafe member")
                outcome = Outcome.REFUSED if is_unsafe else Outcome.FAILED
                miss(name, outcome, InputError(one.reason, remedy=one.remedy))
    log.append(
        "observation.made",
        {
            "object": digest,
            "step": STEP,
            "step_version": STEP_VERSION,
            "parameters": {"folder": folder},
            "outcome": observed.outcome("partly" if troubles else "done"),
            "result": {"posts": posts, "troubles": troubles},
            "derived": [],
            "tool": None,
            "elapsed_s": f"{time.monotonic() - started_s:.3f}",
        },
    )
    log.commit()


def _count(tally: Tally, post: Post) -> None:
    tally.posts += 1
    tally.service_messages += post.kind == "service"
    if post.media and post.media.status in _ABSENT:
        tally.absent_media += 1


def _record(log: LogWriter, acquisition: str, digest: str, post: Post) -> None:
    to_plain: Callable[[Any], Any] = msgspec.to_builtins
    log.append(
        "post.recorded",
        {
            "acquisition": acquisition,
            "export": digest,
            "bytes": [post.start_byte, post.end_byte],
            "channel": to_plain(post.channel),
            "post": {
                "id": post.post_id,
                "kind": post.kind,
                "action": post.action,
                "author": post.author,
            },
            "time": {
                "published": to_plain(post.published),
                "edited": to_plain(post.edited) if post.edited else None,
            },
            "text": post.text,
            "media": to_plain(post.media) if post.media else None,
            "links": {
                "forwarded_from": post.forwarded_from,
                "reply_to": post.reply_to,
                "album_of": post.album_of,
            },
            "extra": post.extra,
        },
    )
