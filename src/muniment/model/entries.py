"""Entry kinds: which role may sign each, and the private fields each always carries.

docs/format.md's tables are generated from `KINDS`; adding a kind or a field here without
regenerating them turns the tests red.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

FORMAT_VERSION: Final = 1


class Role(StrEnum):
    """What a key is for."""

    PERSON = "person"
    AGENT = "agent"


class Field(msgspec.Struct, frozen=True):
    """One private field of a kind.

    `is_object` marks fields that hold the SHA-256 of a stored object (hex), a list of such, or
    null: these, and `_object` values, are what `verify` looks for on disk.
    """

    name: str
    meaning: str
    is_object: bool = False


class Kind(msgspec.Struct, frozen=True):
    """One entry kind: its name, the roles whose keys may author it, its private fields."""

    name: str
    roles: tuple[Role, ...]
    meaning: str
    fields: tuple[Field, ...]


def _kind(name: str, roles: tuple[Role, ...], meaning: str, *fields: Field) -> Kind:
    return Kind(name, roles, meaning, fields)


_PERSON = (Role.PERSON,)
_AGENT = (Role.AGENT,)
_F = Field

_ALL: Final = (
    _kind(
        "case.opened",
        _PERSON,
        "entry 0: the case exists, under this root",
        _F("root_sha256", "SHA-256 (hex) of the exact bytes of root.json"),
        _F("title", "the case's title"),
        _F("purpose", "why it was opened, as told"),
        _F("opened_by", "name of the person who opened it"),
        _F("tool", "{name, version} of the program that wrote this"),
        _F("data", "{file: SHA-256} of the vocabularies and crime lists shipped with the program"),
    ),
    _kind(
        "key.certified",
        _PERSON,
        "a person says: this key belongs to this agent and may act from here on",
        _F("key", "key id of the certified key"),
        _F("role", "`agent`"),
        _F("name", "what the key is called (the machine's name)"),
        _F("ed25519", "public key, 32 bytes in hex"),
        _F("mldsa44", "public key, 1,312 bytes in hex, or null where the library had none"),
    ),
    _kind(
        "acquisition.started",
        _AGENT,
        "the intent to collect from one source, logged before anything is read",
        _F("source", "{path, kind}: where; kind is `file`, `folder` or `telegram_desktop`"),
        _F("stated_source", "who or what the source is, as told; null if nobody said"),
        _F("collector", "name of the person on whose behalf this ran"),
        _F("why", "the reason, as told"),
        _F(
            "listing",
            "object: what was there to collect (name, size, time a line); "
            "null if nothing was, or if that object is held and damaged",
            True,
        ),
        _F("attempted", "how many files the listing names"),
        _F("method", "{tool, version, python, host_system}: with what it was collected"),
        _F("clock", "{source, set_back_s}: whose clock; seconds it stands behind the last entry"),
        _F("resumes", "leaf hash of the interrupted acquisition this one goes on from, or null"),
    ),
    _kind(
        "item.acquired",
        _AGENT,
        "bytes were kept as an original",
        _F("acquisition", "leaf hash of its acquisition.started"),
        _F("object", "SHA-256 of the bytes", True),
        _F("size_bytes", "their number"),
        _F("name", "{path, raw_hex}: where it lay in the source; raw_hex when path was changed"),
        _F(
            "outcome",
            "`found`, `duplicate` (bytes already held) or `adopted` (left by a killed run)",
        ),
        _F("media_type", "{by_content, by_name, mismatch, tool}"),
        _F("modified_utc", "the file system's modification time: a claim of that system"),
    ),
    _kind(
        "item.missed",
        _AGENT,
        "something named by the source was not kept, and why",
        _F("acquisition", "leaf hash of its acquisition.started"),
        _F("name", "{path, raw_hex}"),
        _F("outcome", "`absent`, `failed` or `refused`"),
        _F("reason", "what happened, in one clause"),
        _F("remedy", "what can be done about it"),
    ),
    _kind(
        "acquisition.finished",
        _AGENT,
        "what came of an acquisition; also written for one that failed or was killed",
        _F("acquisition", "leaf hash of its acquisition.started"),
        _F("outcome", "`complete`, `partly`, `failed` or `interrupted`"),
        _F(
            "counts",
            "attempted, each outcome, not_tried, posts, service_messages, absent_media",
        ),
        _F("elapsed_s", "seconds it took, decimal string; null for one that was killed"),
        _F("reason", "why it did not end `complete`, or null"),
    ),
    _kind(
        "post.recorded",
        _AGENT,
        "one publication, as an export tells it",
        _F("acquisition", "leaf hash of its acquisition.started"),
        _F("export", "SHA-256 of the export file it stands in", True),
        _F("bytes", "[start, end): byte range of its raw record in that file"),
        _F("channel", "{name, id, type, ordinal}: ordinal counts the chats of that file from 0"),
        _F(
            "post",
            "{id, kind, action, author}: kind is `message`, `service`, `unsupported` or `unknown`",
        ),
        _F(
            "time",
            "{published, edited}: intervals {earliest_utc, latest_utc, basis}, exporter's claim",
        ),
        _F("text", "the text without its formatting, or null"),
        _F("media", "{media_type, path, status, ...} of its file, or null"),
        _F(
            "links",
            "{forwarded_from, reply_to, album_of}: claimed by the export; album_of inferred",
        ),
        _F(
            "extra",
            "text entities, reactions, what else the export tells, what was cut; null if nothing",
        ),
    ),
    _kind(
        "observation.made",
        _AGENT,
        "a program looked at one object: a step that need not be done again",
        _F("object", "SHA-256 of what it looked at", True),
        _F("step", "name of the step"),
        _F("step_version", "its version; another version is another step"),
        _F("parameters", "what it was told"),
        _F("outcome", "{status, problem, detail, notes}: status is `done`, `partly` or `failed`"),
        _F("result", "what it found; null when it failed"),
        _F(
            "derived", "[SHA-256, ...]: objects it made, in the order `result` speaks of them", True
        ),
        _F("tool", "{libraries, confinement}: with what, and which layers were in force; or null"),
        _F("elapsed_s", "seconds it took, decimal string"),
    ),
    _kind(
        "match.decided",
        _PERSON,
        "a person decided what two items are to each other; the latest on a pair holds",
        _F("a", "SHA-256 of the one item, the lesser of the two", True),
        _F("b", "SHA-256 of the other", True),
        _F("decision", "`same_footage`, `not_same_footage` or `same_camera_other_moment`"),
        _F("because", "the reason, as told"),
        _F("by", "name of the person who decided"),
        _F("program", "{verdict, score, step}: what tracing had found of the pair by then"),
        _F("supersedes", "leaf hash of the match.decided on this pair before it, or null"),
    ),
    _kind(
        "object.viewed",
        (Role.AGENT, Role.PERSON),
        "an original was opened",
        _F("object", "SHA-256 of the original", True),
        _F("by", "name of the person, or of the step"),
        _F("purpose", "what for"),
    ),
    _kind(
        "custody.recorded",
        (Role.AGENT, Role.PERSON),
        "something was done to originals, or is told of the time before intake",
        _F(
            "event", "`fixity_checked`, `working_copy_made`, `exported`, `transferred`, or one told"
        ),
        _F("premis", "code of the event in PREMIS"),
        _F("objects", "[SHA-256, ...] of the originals", True),
        _F("by", "name of the person who did it, had it done, or tells it"),
        _F("instrument", "{name, version}: with what it was done or written down"),
        _F("why", "the reason, as told"),
        _F("outcome", "`success`, `failure`, `warning`; null for what is only told"),
        _F("details", "what else belongs to the event: docs/format.md, custody events"),
    ),
    _kind(
        "object.erased",
        _PERSON,
        "private values and objects were destroyed on purpose",
        _F("entries", "[[index, leaf hash, [field, ...]], ...]: whose private values are gone"),
        _F("objects", "[SHA-256, ...]: objects that are gone"),
        _F("why", "reason, and the policy or order it follows"),
        _F("by", "name of the person who decided"),
        _F("out_of_reach", "who holds copies this cannot reach, as far as known"),
    ),
    _kind(
        "authority.pinned",
        _PERSON,
        "a person names an authority that shall stamp this case, or drops one",
        _F("url", "where it is asked"),
        _F("organisation", "whose it is, as told; authorities are counted by it"),
        _F("method", "`rfc3161` or `opentimestamps`"),
        _F("pem", "its certificate, then each issuer's up to the root, PEM; null for a calendar"),
        _F("fingerprints", "[SHA-256, ...] of those certificates in DER, in the same order"),
        _F("probe", "{time_utc, with_certificates, checked_with}: what it answered at set-up"),
        _F("dropped", "true when nothing more shall be asked of it"),
        _F("supersedes", "leaf hash of the authority.pinned this one replaces or drops, or null"),
        _F("by", "name of the person"),
        _F("why", "the reason, as told"),
    ),
    _kind(
        "checkpoint.stamped",
        _AGENT,
        "an authority vouches that a checkpoint existed by a time, or promises to",
        _F("authority", "leaf hash of the authority.pinned it was made under"),
        _F("checkpoint", "`SIZE:ROOT` of what was stamped"),
        _F("method", "`rfc3161` or `opentimestamps`"),
        _F("state", "`stamped`, `pending` (proves nothing yet) or `upgraded` (was pending)"),
        _F("time_utc", "the time it states; null while none is known"),
        _F("files", "{part: {file, sha256}}: what stands under log/stamps/"),
        _F(
            "checked_with",
            "{tool: version} that judged it when it was made; null where one was not",
        ),
    ),
    _kind(
        "witness.pinned",
        _PERSON,
        "a person names a witness that shall cosign this log, or drops one",
        _F("vkey", "its verifier key (C2SP signed note, type 0x04)"),
        _F("organisation", "whose it is, as told; a quorum is counted by it"),
        _F("url", "where it is asked; null for one that cosigns by file"),
        _F("quorum", "how many organisations shall have cosigned, from here on"),
        _F("dropped", "true when nothing more shall be asked of it"),
        _F("supersedes", "leaf hash of the witness.pinned this one replaces or drops, or null"),
        _F("by", "name of the person"),
        _F("why", "the reason, as told"),
    ),
    _kind(
        "checkpoint.cosigned",
        _AGENT,
        "a witness says that a checkpoint continues all that it saw of this log before",
        _F("witness", "leaf hash of its witness.pinned"),
        _F("checkpoint", "`SIZE:ROOT` of what was cosigned"),
        _F("time_utc", "the time it states"),
        _F("file", "{file, sha256}: the cosigned checkpoint under log/stamps/"),
    ),
    _kind(
        "copy.made",
        _AGENT,
        "the case was copied to a second place, read back and compared",
        _F("target", "{kind, place, same_device}: kind is `folder` or `s3`; where, as named"),
        _F("off_site", "true or false, as told; null if nobody said"),
        _F("checkpoint", "`SIZE:ROOT` of what was copied"),
        _F("manifest", "{key, sha256}: the list of its files, at the target"),
        _F("counts", "{files, copied, held, read_back, failed, bytes}: files of the case"),
        _F("put_if_absent", "`proved`: it refused to overwrite; `not kept`: it did overwrite"),
        _F("outcome", "`complete` or `partly`"),
        _F("by", "name of the person on whose behalf it ran"),
        _F("premis", "code of the event in PREMIS: `rep`, replication"),
    ),
    _kind(
        "log.recovered",
        _AGENT,
        "what stood beyond the checkpoint at the next opening was moved aside",
        _F("from_index", "number of entries the checkpoint covered then"),
        _F("moved", "[{file, bytes, sha256}, ...]: what was moved to work/recovered/"),
        _F("reason", "what was wrong with it"),
    ),
)

#: kind name -> Kind, in the order of docs/format.md.
KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _ALL}


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The public line of an entry. Its canonical bytes, hashed with a leading 0x00, are a leaf.

    `prev` is the leaf hash of the same author's previous entry, null for its first. `sd` (on disk
    `_sd`) maps every private field of the kind to the SHA-256 of its stored `[salt,value]` bytes.
    `sig` is the author's Ed25519 signature (hex) for person entries, null for agent entries, which
    the agent's checkpoint covers.
    """

    v: int
    case: str
    kind: str
    author: str
    at: str
    prev: str | None
    sd: dict[str, str] = msgspec.field(name="_sd")
    sig: str | None
