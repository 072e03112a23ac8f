"""The host's side: a worker's answer, believed in nothing.

A hijacked decoder can answer anything; what passes here is bounded and has the form its examiner
gives it (`forms`), no more. No decoding library is imported, and no picture is decoded: pictures
cross as raw pixels.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from muniment.errors import MalformedError
from muniment.examine import forms
from muniment.examine.limits import MAX_FACTS_BYTES
from muniment.examine.registry import VERSIONS
from muniment.model import canonical
from muniment.model.examine import OF_THE_HOST, Blob, Examined, Finding

MAX_PAYLOAD_BYTES: Final = 256 << 20
MAX_FINDINGS: Final = 16
MAX_BLOBS: Final = 64
MAX_NOTES: Final = 64
MAX_TEXT: Final = 2_000
MAX_LIBRARIES: Final = 32
MAX_SIDE_PX: Final = 4_096
#: The facts as JSON, with room for what escaping adds.
_FACTS_BYTES: Final = MAX_FACTS_BYTES + 56_000

_BLOB_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TIME: Final = re.compile(r"[0-9]{1,9}\.[0-9]{1,6}")
_MEDIA_TYPE: Final = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,80}")
_LIBRARY: Final = re.compile(r"[a-z0-9_.-]{1,40}")

_decoder: Final = msgspec.msgpack.Decoder(Examined, strict=True)


def examined(payload: bytes) -> Examined:
    """What a worker said of an object.

    Args:
        payload: msgpack of `Examined`, as received.
    Raises:
        MalformedError: if it is anything but a record within the limits.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MalformedError(f"a worker's answer of {len(payload)} bytes is longer than allowed")
    try:
        found = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise MalformedError(f"a worker's answer is no record ({type(error).__name__})") from error
    _bounded(len(found.findings), MAX_FINDINGS, "findings")
    _bounded(len(found.notes), MAX_NOTES, "notes")
    if found.problem in OF_THE_HOST:
        raise MalformedError(
            f"a worker's answer says “{found.problem}”, which only the host can know"
        )
    _text(found.detail)
    for note in found.notes:
        _text(note.what)
        _text(note.detail)
    _bounded(len(found.libraries), MAX_LIBRARIES, "libraries")
    for name, number in found.libraries.items():
        _named(_LIBRARY, name)
        _named(_LIBRARY, number)
    names = [one.examiner for one in found.findings]
    if len(set(names)) != len(names):
        raise MalformedError("a worker's answer holds two findings of one examiner")
    for finding in found.findings:
        _finding(finding)
    return found


def _finding(finding: Finding) -> None:
    if VERSIONS.get(finding.examiner) != finding.version:
        raise MalformedError("a worker's answer names an examiner that was not asked")
    canonical.check(finding.facts, nfc=False)
    if len(canonical.encode(finding.facts)) > _FACTS_BYTES:
        raise MalformedError(f"the facts of {finding.examiner} are longer than allowed")
    _bounded(len(finding.blobs), MAX_BLOBS, "blobs")
    if len({one.name for one in finding.blobs}) != len(finding.blobs):
        raise MalformedError(f"two blobs of {finding.examiner} have one name")
    for blob in finding.blobs:
        _blob(blob)
    forms.check(finding)


def _blob(blob: Blob) -> None:
    _named(_BLOB_NAME, blob.name)
    _named(_MEDIA_TYPE, blob.media_type)
    if blob.time_s is not None:
        _named(_TIME, blob.time_s)
    sides = (blob.width_px, blob.height_px)
    if blob.form == "bytes":
        if sides != (0, 0):
            raise MalformedError("bytes that are no picture claim a size")
        return
    if not all(1 <= side <= MAX_SIDE_PX for side in sides):
        raise MalformedError(f"a picture claims {blob.width_px}x{blob.height_px}")
    if len(blob.data) != 3 * blob.width_px * blob.height_px:
        raise MalformedError("a picture does not hold as many pixels as it claims")


def _bounded(count: int, most: int, what: str) -> None:
    if count > most:
        raise MalformedError(f"a worker's answer holds {count} {what}; at most {most} are taken")


def _text(value: str) -> None:
    if len(value) > MAX_TEXT:
        raise MalformedError("a worker's answer holds a sentence longer than allowed")


def _named(pattern: re.Pattern[str], value: str) -> None:
    if pattern.fullmatch(value) is None:
        raise MalformedError("a worker's answer holds an unknown form of name")
