"""Second copies of a case: made piece by piece under names nobody overwrites, read back, recorded.

At the target every file lies under its digest, so a later copy sends only what is new, and an
interrupted one goes on where it was. A manifest lists the files of one checkpoint; it is written last.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from muniment.case import copies, projecting, reporting
from muniment.case.building import whole_set_aside, writing
from muniment.case.progress import Progress
from muniment.case.signing import Secrets
from muniment.case.targets import PART, Folder, Target, check_whole, keeps
from muniment.case.told import NAME_CHARACTERS, told
from muniment.custody.keyring import KeyFolder
from muniment.custody.opening import read_root
from muniment.custody.replica import log_files, object_sizes, opened
from muniment.errors import InputError, IntegrityError, StorageError, UsageError
from muniment.model import canonical
from muniment.model.copies import (
    COPY_FORMAT,
    MARKER,
    MIRROR_FORMAT,
    CopiedFile,
    Copy,
    Keeps,
    Marker,
    Standing,
)
from muniment.store import disk
from muniment.store.layout import OBJECT_NAME, CaseFolder, object_name

COPIES: Final = "copies/"
#: A target that fails so often in a row is asked no more.
MOST_IN_A_ROW: Final = 3


class Copied(msgspec.Struct, frozen=True):
    """What came of a copying.

    Attributes:
        files: files of the case; `copied` were sent now, `held` were there, `read_back` were read back
            and compared now, `size_bytes` were sent.
        notices: a line for each file that failed, and what else needs a look.
    """

    place: str
    checkpoint: str
    manifest: str
    put_if_absent: Keeps
    files: int
    copied: int
    held: int
    read_back: int
    size_bytes: int
    standing: str
    notices: tuple[str, ...]


class _Tally:
    """Counts of one copying."""

    def __init__(self) -> None:
        self.copied = self.held = self.read_back = self.size_bytes = 0
        self.failed: list[str] = []


def target_of(name: str, case: CaseFolder | None) -> Target:
    """The target a person names: `s3://bucket/folder`, or a folder, made for a case's copies if new.

    Raises:
        UsageError: if it is neither, or lies in the case.
    """
    if "://" in name:
        from muniment.case.bucket import Bucket

        return Bucket(name)
    return Folder(Path(name), case.path if case else None)


def mirror(
    folder: CaseFolder,
    name: str,
    *,
    by: str,
    off_site: bool | None,
    overwriting: bool,
    everything: bool,
    secrets: Secrets,
    progress: Progress,
) -> Copied:
    """Copy the case to a target, read back what was sent, and record it.

    Args:
        off_site: whether the target is elsewhere, as told.
        overwriting: take a target that overwrites all the same, and say so in the entry.
        everything: read back also what was copied before.
    Raises:
        InputError, StorageError: if the target cannot be reached or refuses.
        UsageError: if it holds another case, or overwrites and that was not accepted.
    """
    by = told(by, "--by", NAME_CHARACTERS)
    target, tally = target_of(name, folder), _Tally()
    _, root = read_root(folder)
    kept, held = _set_up(target, root.case, overwriting=overwriting)
    # Most of the bytes before the lock: nobody else has to wait for them.
    sent: dict[str, bool] = {}
    _objects(folder, target, held, tally, sent, progress, everything=everything)
    keys = KeyFolder()
    with writing(
        folder,
        by=by,
        why="a second copy",
        title=None,
        keys=keys,
        secrets=secrets,
        progress=progress,
        make=False,
    ) as log:
        head = log.commit()
        objects = _objects(folder, target, held, tally, sent, progress, everything=everything)
        files = [*_log(folder, target, held, tally, everything=everything), *objects]
        manifest = _manifest(target, root.case, head.short(), files)
        values = _values(target, tally, kept, len(files), manifest)
        told_by = {"off_site": off_site, "checkpoint": head.short(), "by": by}
        log.append("copy.made", values | told_by)
        aside = whole_set_aside(log)
    if folder.report.exists():
        reporting.write(folder)
    return Copied(
        target.place,
        head.short(),
        manifest[0],
        kept,
        len(files),
        tally.copied,
        tally.held,
        tally.read_back,
        tally.size_bytes,
        status(folder).says,
        (*aside, *tally.failed),
    )


def _values(
    target: Target, tally: _Tally, kept: Keeps, files: int, manifest: tuple[str, str]
) -> dict[str, Any]:
    """What a copy.made says of the target and of what came of it."""
    return {
        "target": {
            "kind": target.kind,
            "place": canonical.text(target.place),
            "same_device": getattr(target, "same_device", None),
        },
        "manifest": {"key": manifest[0], "sha256": manifest[1]},
        "counts": {
            "files": files + len(tally.failed),
            "copied": tally.copied,
            "held": tally.held,
            "read_back": tally.read_back,
            "failed": len(tally.failed),
            "bytes": tally.size_bytes,
        },
        "put_if_absent": str(kept),
        "outcome": "partly" if tally.failed else "complete",
        "premis": "rep",
    }


def _set_up(target: Target, case: str, *, overwriting: bool) -> tuple[Keeps, dict[str, int]]:
    """Whether the target refuses to overwrite (tried each time, with a file whose content is always the
    same), and what it holds: key -> size.

    Raises:
        UsageError: if it holds something else, or overwrites and that was not accepted.
    """
    content = msgspec.json.encode(Marker(MIRROR_FORMAT, case)) + b"\n"
    held = target.sizes("")
    for key in [one for one in held if one.endswith(PART)]:
        target.remove(key)  # half written by a killed run
        del held[key]
    there = held.get(MARKER)
    if there is not None:
        marker = b"".join(target.read(MARKER)) if there < 1024 else b""
        if marker != content:
            raise UsageError(
                "holds the copies of another case, or something else",
                subject=f"{target.place}: {MARKER}",
                remedy="Give each case a place of its own (a folder, or s3://bucket/folder).",
            )
    elif held:
        raise UsageError(
            "is not empty and holds no copies",
            subject=target.place,
            remedy="Choose an empty folder, or a new one in the bucket.",
        )
    kept = keeps(target, MARKER, content)
    if kept is Keeps.NOT_KEPT and not overwriting:
        if there is None:
            target.remove(MARKER)
        raise UsageError(
            "overwrites what it holds: a second write of one name was not refused",
            subject=target.place,
            remedy="Choose another place, or accept it with --overwriting; the log then says so.",
        )
    return kept, held


def _objects(
    folder: CaseFolder,
    target: Target,
    held: dict[str, int],
    tally: _Tally,
    sent: dict[str, bool],
    progress: Progress,
    *,
    everything: bool,
) -> list[CopiedFile]:
    """Send every object that this run has not dealt with; all that now are there.

    Args:
        sent: those dealt with in this run, and whether they are there.
    Raises:
        InputError, StorageError: if the target fails time after time.
    """
    sizes = object_sizes(folder)
    due = [digest for digest in sizes if digest not in sent]
    if due:
        progress.start("Copying objects", len(due), "objects")
    in_a_row = 0
    for digest in due:
        key, sent[digest] = object_name(digest), False
        try:
            if key in held:
                _held(target, key, digest, sizes[digest], held[key], tally, everything=everything)
            else:
                with opened(folder, digest) as stream:
                    _send(target, key, digest, sizes[digest], stream, tally)
            sent[digest], in_a_row = True, 0
        except (IntegrityError, StorageError, InputError) as error:
            tally.failed.append(error.diagnostics())
            progress.notice(error.diagnostics())
            in_a_row += not isinstance(error, IntegrityError)
            if in_a_row == MOST_IN_A_ROW:
                raise
        progress.advance()
    return [
        CopiedFile(object_name(digest), digest, size)
        for digest, size in sizes.items()
        if sent.get(digest)
    ]


def _send(
    target: Target, key: str, digest: str, size: int, stream: BinaryIO, tally: _Tally
) -> None:
    """Send one file and read it back.

    Raises:
        StorageError: if the target refuses, or gives back other bytes.
    """
    if target.put(key, stream, size):
        tally.copied += 1
        tally.size_bytes += size
    else:
        tally.held += 1
    check_whole(target, key, digest)
    tally.read_back += 1


def _held(
    target: Target,
    key: str,
    digest: str,
    size: int,
    there: int,
    tally: _Tally,
    *,
    everything: bool,
) -> None:
    """What stands there already: of the right size, and read back when all shall be.

    Raises:
        StorageError: if it is not; it is then taken away, so that the next run copies it anew.
    """
    if there != size:
        target.remove(key)
        raise StorageError(
            f"stands there with {there} bytes instead of {size}, and was removed",
            subject=f"{target.place}: {key}",
            remedy="Run again: it is then copied anew.",
        )
    tally.held += 1
    if everything:
        check_whole(target, key, digest)
        tally.read_back += 1


def _log(
    folder: CaseFolder,
    target: Target,
    held: dict[str, int],
    tally: _Tally,
    *,
    everything: bool,
) -> list[CopiedFile]:
    """Send the files of the log and the root.

    Raises:
        InputError, StorageError: as the target does: without them it is no copy.
    """
    files: list[CopiedFile] = []
    for one, data in log_files(folder):
        key, size = _key(one), one.size_bytes
        if key in held:
            _held(target, key, one.sha256, size, held[key], tally, everything=everything)
        else:
            _send(target, key, one.sha256, size, io.BytesIO(data), tally)
            held[key] = size
        files.append(one)
    return files


def _key(one: CopiedFile) -> str:
    """Where a file of a case lies at a target."""
    if OBJECT_NAME.fullmatch(one.name):
        return one.name
    return f"log/sha256/{one.sha256[:2]}/{one.sha256[2:]}"


def _manifest(
    target: Target, case: str, checkpoint: str, files: list[CopiedFile]
) -> tuple[str, str]:
    data = msgspec.json.encode(Copy(COPY_FORMAT, case, checkpoint, tuple(files))) + b"\n"
    digest = hashlib.sha256(data).hexdigest()
    key = f"{COPIES}{int(checkpoint.partition(':')[0]):012d}-{digest[:12]}.json"
    target.put(key, io.BytesIO(data), len(data))
    check_whole(target, key, digest)
    return key, digest


def status(folder: CaseFolder) -> Standing:
    """What the log knows of second copies; asks no target."""
    index = projecting.reading(folder)
    try:
        return copies.standing(index)
    finally:
        index.close()


# ---------------------------------------------------------------- back again


def restore(name: str, out: Path, progress: Progress) -> tuple[str, int]:
    """Write the case of the latest copy at a target into a new folder: its checkpoint, and the number of
    files.

    Every file is held against the digest in the manifest. `muniment verify` then says whether the case
    is whole.

    Raises:
        UsageError: if the folder is not empty, or no copy lies there.
        IntegrityError: if a file at the target is missing or changed; what was written stays.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("is not empty", subject=str(out), remedy="Choose a new folder.")
    target = target_of(name, None)
    keys = [key for key in target.sizes(COPIES) if key.endswith(".json")]
    if not keys:
        raise UsageError("holds no copy", subject=target.place, remedy="Check the place.")
    data = b"".join(target.read(keys[-1]))
    try:
        copy = msgspec.json.decode(data, type=Copy)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IntegrityError(
            "is no list of a copy", subject=f"{target.place}: {keys[-1]}"
        ) from error
    progress.start("Restoring", len(copy.files), "files")
    for one in copy.files:
        _restored(target, one, out)
        progress.advance()
    return copy.checkpoint, len(copy.files)


def _restored(target: Target, one: CopiedFile, out: Path) -> None:
    path = out / one.name
    if ".." in Path(one.name).parts or Path(one.name).is_absolute():
        raise IntegrityError("is no name of a file in a case", subject=one.name[:80])
    sha = hashlib.sha256()
    with disk.storage(path):
        disk.make_folder(path.parent)
        with path.open("xb") as out_file:
            for piece in target.read(_key(one)):
                sha.update(piece)
                out_file.write(piece)
        if OBJECT_NAME.fullmatch(one.name):
            path.chmod(0o440)
    if sha.hexdigest() != one.sha256:
        raise IntegrityError(
            "has other bytes in the copy than were copied",
            subject=one.name,
            remedy="Take this file from another copy.",
        )
