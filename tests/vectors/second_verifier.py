"""A second verifier, written from docs/format.md alone: standard library and `cryptography`.

It imports nothing of Muniment. The entry kinds come from the two tables of the page, the rest from
its text; section names in the comments are the page's. Two uses:

* the tests build the page's worked example with it and hold it against the first verifier;
* `python second_verifier.py CASE` checks a case folder, for readers who want a second opinion.

It is short rather than fast, reads every file whole, and does not check pins or the projection.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

PAGE = Path(__file__).parents[2] / "docs" / "format.md"
SEGMENT = 4096
ENTRY_KEYS = ["_sd", "at", "author", "case", "kind", "prev", "sig", "v"]
HEX32, HEX64 = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{64}")

#: "Erasure": kinds that are never blank.
NEVER_ERASED = {
    *("case.opened", "key.certified", "object.erased", "log.recovered"),
    *("authority.pinned", "checkpoint.stamped", "witness.pinned", "checkpoint.cosigned"),
}
#: "Folder": folders that may be empty, besides those of objects.
MAY_BE_EMPTY = {"log", "log/entries", "log/private", "objects", "objects/sha256"}

#: "How to verify": the exit code that each failed check asks for.
EXIT_CODES = {
    "root": 21,
    "entries": 20,
    "signatures": 21,
    "private values": 20,
    "erasures": 20,
    "tree": 20,
    "checkpoint": 21,
    "time stamps": 21,
    "witnesses": 21,
    "objects": 20,
    "files": 20,
    "sealed to the end": 3,
}


class Fault(Exception):
    """Something is not in the form the page asks for."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ---------------------------------------------------------------- the tables of the page


def read_tables(page: str) -> dict[str, dict[str, Any]]:
    """kind -> {roles, fields (sorted), objects} from the page's two generated tables."""
    kinds: dict[str, dict[str, Any]] = {}
    for row in _rows(page, "kinds"):
        roles = {role for role, cell in zip(("person", "agent"), row[1:3], strict=True) if cell}
        kinds[row[0].strip("`")] = {"roles": roles, "fields": [], "objects": []}
    for row in _rows(page, "fields"):
        kind, field = kinds[row[0].strip("`")], row[1].strip("`")
        kind["fields"].append(field)
        if row[2]:
            kind["objects"].append(field)
    for kind in kinds.values():
        kind["fields"].sort()
    return kinds


def _rows(page: str, name: str) -> list[list[str]]:
    block = page.split(f"<!-- generated: {name} -->")[1].split("<!-- end -->")[0]
    lines = [line for line in block.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


KINDS = read_tables(PAGE.read_text(encoding="utf-8"))


# ---------------------------------------------------------------- "Canonical JSON"


def encode(value: Any) -> bytes:
    """The canonical bytes of a value."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def read(data: bytes, depth: int = 32) -> Any:
    """The value whose canonical bytes are `data`: decode, check, encode again, compare."""
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_members, parse_float=_refuse, parse_constant=_refuse
        )
        _check(value, depth)
        same = encode(value) == data
    except (ValueError, RecursionError) as error:
        raise Fault(f"is not canonical JSON ({error})") from error
    if not same:
        raise Fault("is not in its one exact form")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise Fault("holds a key twice")
    return dict(pairs)


def _refuse(text: str) -> Any:
    raise Fault(f"holds the number {text[:20]}, which is no integer")


def _check(value: Any, depth: int) -> None:
    if isinstance(value, int):
        if abs(value) >= 2**53:
            raise Fault("holds an integer of 2**53 or more")
    elif isinstance(value, (list, dict)):
        if depth == 0:
            raise Fault("is nested too deep")
        if isinstance(value, dict) and not all(key.isascii() for key in value):
            raise Fault("holds a key that is not ASCII")
        for part in value.values() if isinstance(value, dict) else value:
            _check(part, depth - 1)


# ---------------------------------------------------------------- "Tree"


def leaf_hash(line: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + line).digest()


def tree_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, straight from its definition, pair by pair."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    while len(leaves) > 1:
        pairs = zip(leaves[0::2], leaves[1::2], strict=False)
        above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        leaves = above + leaves[len(above) * 2 :]
    return leaves[0]


def inclusion_path(leaves: list[bytes], index: int) -> list[bytes]:
    """RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return [*inclusion_path(leaves[:split], index), tree_root(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), tree_root(leaves[:split])]


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a path leads to, None when it has the wrong length."""
    if size == 1:
        return leaf if index == 0 and not path else None
    split = 1 << ((size - 1).bit_length() - 1)
    if not path or not 0 <= index < size:
        return None
    *below, beside = path
    if index < split:
        left, right = root_from_path(leaf, index, split, below), beside
    else:
        left, right = beside, root_from_path(leaf, index - split, size - split, below)
    return hashlib.sha256(b"\x01" + left + right).digest() if left and right else None


# ---------------------------------------------------------------- "Keys", "root.json"


def check_key(key: Any, role: str) -> None:
    """Refuse what is no public key of that role."""
    if not isinstance(key, dict) or sorted(key) != ["ed25519", "id", "mldsa44", "name", "role"]:
        raise Fault("is no key")
    post_quantum = key["mldsa44"]
    is_sound = (
        key["role"] == role
        and isinstance(key["name"], str)
        and isinstance(key["ed25519"], str)
        and HEX64.fullmatch(key["ed25519"])
        and key["id"] == sha256(bytes.fromhex(key["ed25519"]))[:32]
        and (
            post_quantum is None
            or (isinstance(post_quantum, str) and re.fullmatch(r"[0-9a-f]{2624}", post_quantum))
        )
    )
    if not is_sound:
        raise Fault("holds a key that is not what it says")


def read_root(data: bytes) -> tuple[str, dict[str, dict[str, Any]]]:
    """Case id, and the keys of the root by key id."""
    if not data.endswith(b"\n"):
        raise Fault("does not end with a newline")
    root = read(data[:-1])
    if not isinstance(root, dict) or sorted(root) != ["case", "format", "keys"]:
        raise Fault("is no root")
    if root["format"] != "muniment-root/1" or not _is_hex(root["case"], HEX32):
        raise Fault("is no root of this version")
    keys: dict[str, dict[str, Any]] = {}
    for item in root["keys"] if isinstance(root["keys"], list) else []:
        if not isinstance(item, dict) or sorted(item) != ["key", "signs"]:
            raise Fault("is no root")
        check_key(item["key"], "person")
        signs = item["signs"]
        if not isinstance(signs, list) or not all(isinstance(one, str) for one in signs):
            raise Fault("is no root")
        if item["key"]["id"] in keys:
            raise Fault("names a key twice")
        keys[item["key"]["id"]] = item
    if not keys:
        raise Fault("names no key")
    return root["case"], keys


def _is_hex(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def ed25519_holds(key: dict[str, Any], signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["ed25519"])).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def mldsa_holds(key: dict[str, Any], signature: bytes, message: bytes) -> bool:
    try:
        MLDSA44PublicKey.from_public_bytes(bytes.fromhex(key["mldsa44"])).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# ---------------------------------------------------------------- "Entry", "Private values"


def read_entry(line: bytes) -> dict[str, Any]:
    """The entry whose exact public line is `line`."""
    entry = read(line)
    if not isinstance(entry, dict) or sorted(entry) != ENTRY_KEYS:
        raise Fault("is no entry")
    if type(entry["v"]) is not int or entry["v"] != 1 or entry["kind"] not in KINDS:
        raise Fault("has a version or kind that the page does not know")
    digests = entry["_sd"]
    if not isinstance(digests, dict) or sorted(digests) != KINDS[entry["kind"]]["fields"]:
        raise Fault(f"does not have the private fields of {entry['kind']}")
    hashes = [(entry["author"], HEX32), *((digest, HEX64) for digest in digests.values())]
    hashes += [] if entry["prev"] is None else [(entry["prev"], HEX64)]
    if not all(_is_hex(value, pattern) for value, pattern in hashes):
        raise Fault("has an author, prev or digest that is no hash")
    if entry["sig"] is not None and not isinstance(entry["sig"], str):
        raise Fault("has a signature that is none")
    check_time(entry["at"])
    return entry


def check_time(stamp: Any) -> None:
    form = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
    if not isinstance(stamp, str) or not re.fullmatch(form, stamp):
        raise Fault("has a time that is not in its one form")
    try:
        datetime.fromisoformat(stamp[:-1])
    except ValueError as error:
        raise Fault("has a time that is not in the calendar") from error


def signed_message(entry: dict[str, Any]) -> bytes:
    return b"muniment-entry/1\n" + encode({**entry, "sig": None})


def read_private(entry: dict[str, Any], line: bytes) -> tuple[dict[str, Any], set[str]]:
    """Values that are there, and names of erased fields; each held against its digest."""
    stored = read(line, 34)
    if not isinstance(stored, dict) or sorted(stored) != KINDS[entry["kind"]]["fields"]:
        raise Fault("does not hold the fields of its kind")
    values: dict[str, Any] = {}
    for field, pair in stored.items():
        if pair is None:
            continue
        if not isinstance(pair, list) or len(pair) != 2 or not _is_hex(pair[0], HEX32):
            raise Fault(f"field {field} is not [salt,value]")
        if len(encode(pair[1])) > 16384:
            raise Fault(f"field {field} is over 16,384 bytes")
        if sha256(encode(pair)) != entry["_sd"][field]:
            raise Fault(f"field {field} does not match its digest")
        values[field] = pair[1]
    return values, set(stored) - set(values)


def object_references(kind: str, values: Mapping[str, Any]) -> list[str]:
    """Digests of the objects that private values name."""
    found = []
    for field in KINDS[kind]["objects"]:
        value = values.get(field)
        found += value if isinstance(value, list) else [value]
    found += [
        value["_object"]
        for value in values.values()
        if isinstance(value, dict) and sorted(value) == ["_bytes", "_object"]
    ]
    return [digest for digest in found if _is_hex(digest, HEX64)]


# ---------------------------------------------------------------- "Checkpoint"

_NOTE = re.compile(
    r"(muniment/case/[0-9a-f]{32})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n\n"
    r"((?:— \S+ [A-Za-z0-9+/=]+\n)*)"
)


def read_note(data: bytes) -> dict[str, Any]:
    """The checkpoint whose exact bytes are `data`."""
    try:
        match = _NOTE.fullmatch(data.decode())
        if not match or len(data) > 100_000:
            raise Fault("is no checkpoint")
        lines = [line.split(" ") for line in match[4].split("\n")[:-1]]
        encoded = [match[3], *(line[2] for line in lines)]
        decoded = [base64.b64decode(one, validate=True) for one in encoded]
    except ValueError as error:
        raise Fault("is no checkpoint") from error
    if [base64.b64encode(one).decode() for one in decoded] != encoded:
        raise Fault("is no checkpoint in its one exact form")
    parts = zip(lines, decoded[1:], strict=True)
    return {
        "origin": match[1].encode(),
        "size": int(match[2]),
        "root": decoded[0],
        "text": data[: match.end(3) + 1],
        "signatures": [(line[1].encode(), raw[:4], raw[4:]) for line, raw in parts],
    }


def note_key_id(origin: bytes, kind: int, public: str) -> bytes:
    return hashlib.sha256(origin + b"\n" + bytes([kind]) + bytes.fromhex(public)).digest()[:4]


def cosigned_message(note: dict[str, Any], timestamp: bytes) -> bytes:
    name = bytes([len(note["origin"])]) + note["origin"]
    range_ = struct.pack(">QQ", 0, note["size"])
    return b"subtree/v1\n\x00" + name + timestamp + name + range_ + note["root"]


def signer_of(
    note: dict[str, Any], agents: Iterable[dict[str, Any]], *, need_mldsa: bool = True
) -> dict[str, Any]:
    """The one agent all of whose signatures stand there and hold; anything else is a fault."""
    expected: dict[bytes, tuple[dict[str, Any], int]] = {}
    for key in agents:
        expected.setdefault(note_key_id(note["origin"], 1, key["ed25519"]), (key, 1))
        if key["mldsa44"] is not None:
            expected.setdefault(note_key_id(note["origin"], 6, key["mldsa44"]), (key, 6))
    found: dict[int, dict[str, Any]] = {}
    for name, key_id, signature in note["signatures"]:
        if name != note["origin"] or key_id not in expected:
            raise Fault("is signed by a key nobody certified")
        key, kind = expected[key_id]
        if kind in found:
            raise Fault("has two signatures of one type")
        found[kind] = key
        if kind == 1 and not ed25519_holds(key, signature, note["text"]):
            raise Fault(f"an Ed25519 signature of {key['name']} does not hold")
        if kind == 6 and not (
            len(signature) == 8 + 2420
            and mldsa_holds(key, signature[8:], cosigned_message(note, signature[:8]))
        ):
            raise Fault(f"an ML-DSA-44 signature of {key['name']} does not hold")
    signer = found.get(1)
    if signer is None:
        raise Fault("has no Ed25519 signature of a certified agent")
    if need_mldsa and signer["mldsa44"] is not None and 6 not in found:
        raise Fault(f"lacks the ML-DSA-44 signature of {signer['name']}")
    if any(key is not signer for key in found.values()):
        raise Fault("is signed by two agents")
    return signer


# ---------------------------------------------------------------- "How to verify"


KEPT = re.compile(r"log/checkpoints/[0-9]{12}")
#: "Time stamps": its files.
STAMP = (
    r"log/stamps/[0-9]{12}\."
    r"(?:checkpoint|[0-9a-f]{12}(?:\.upgraded)?\.(?:tsq|tsr|pem|crl|ots|headers|cosigned))"
)


class Verification:
    """One verification; `problems` are lines `check: what`."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = {
            name: data for name, data in files.items() if not name.startswith(("work/", "report/"))
        }
        self.problems: list[str] = []
        self.case: str | None = None
        self.root_keys: dict[str, dict[str, Any]] = {}
        self.leaves: list[bytes] = []
        self.sealed = 0
        self.agents: dict[str, tuple[int, dict[str, Any]]] = {}
        self.authors: dict[int, str] = {}
        self.last_leaf: dict[str, str] = {}
        self.blank: dict[int, tuple[str, set[str]]] = {}
        self.allowed: dict[tuple[int, str], set[str]] = {}
        self.erased_objects: set[str] = set()
        self.references: dict[str, int] = {}
        self.tail_references: set[str] = set()
        self.open_acquisitions: set[str] = set()
        self.authorities: dict[str, int] = {}
        self.stamps: list[tuple[int, dict[str, Any]]] = []
        self.witnesses: dict[str, int] = {}
        self.cosigned: list[tuple[int, dict[str, Any]]] = []
        self.opening: dict[str, Any] | None = None
        self.is_begun = False
        self.has_root = False

    def add(self, check: str, what: str, index: int | None = None) -> None:
        """A problem; one of an entry at or beyond the checkpoint belongs to the tail."""
        if index is not None and index >= self.sealed:
            check = "sealed to the end"
        self.problems.append(f"{check}: {what}")

    def run(self) -> list[str]:
        self.check_names()
        self.take_root()
        head = self.take_note("log/checkpoint")
        self.sealed = head["size"] if head else 0
        self.read_log()
        self.is_begun = (
            self.has_root
            and "log/checkpoint" not in self.files
            and not any(KEPT.fullmatch(name) for name in self.files)
            and len(self.leaves) <= 2
        )
        self.check_root()
        self.check_erasures()
        if head:
            self.check_tree(head)
        self.check_checkpoints(head)
        self.check_stamps()
        self.check_objects()
        for leaf in self.open_acquisitions:
            self.problems.append(f"sealed to the end: acquisition {leaf} was never finished")
        return self.problems

    # step 1
    def check_names(self) -> None:
        known = re.compile(
            r"root\.json|log/checkpoint|log/checkpoints/[0-9]{12}"
            rf"|{STAMP}"
            r"|log/(entries|private)/[0-9]{6,9}\.jsonl|objects/sha256/[0-9a-f]{2}/[0-9a-f]{62}"
        )
        for name in self.files:
            if name in ("log/checkpoints/", "log/stamps/"):
                self.problems.append(f"sealed to the end: {name} is empty")
            elif not known.fullmatch(name):
                self.add("files", f"{name} is no part of a case")

    # step 2
    def take_root(self) -> None:
        try:
            self.case, self.root_keys = read_root(self.file("root.json"))
            self.has_root = True
        except Fault as fault:
            self.add("root", f"root.json {fault}")

    def file(self, name: str) -> bytes:
        if name not in self.files:
            raise Fault("is missing")
        return self.files[name]

    # step 3
    def take_note(self, name: str) -> dict[str, Any] | None:
        try:
            return read_note(self.files[name]) if name in self.files else None
        except Fault as fault:
            self.add("checkpoint", f"{name} {fault}")
            return None

    # step 4
    def read_log(self) -> None:
        public = self.lines("entries")
        private = self.lines("private")
        for index, line in enumerate(public):
            self.leaves.append(leaf_hash(line))
            self.read_one(index, line, private.get(index))
        for index in sorted(set(private) - set(range(len(public)))):
            self.add("entries", f"private line {index} has no entry line", index)
        if len(public) > self.sealed:
            self.add("", f"entries from {self.sealed} on lie beyond the checkpoint", self.sealed)

    def lines(self, which: str) -> Any:
        """Lines by index: a list for entries, a dict for private lines (some may be missing)."""
        found: dict[int, bytes] = {}
        prefix = f"log/{which}/"
        names = [one for one in self.files if re.fullmatch(rf"{prefix}[0-9]{{6,9}}\.jsonl", one)]
        numbers = {int(one[len(prefix) : -6]): one for one in sorted(names, reverse=True)}
        for number, name in sorted(numbers.items()):
            *whole, torn = self.files[name].split(b"\n")
            first, end = number * SEGMENT, (number + 1) * SEGMENT
            follows = number == 0 or first - 1 in found
            if not follows:
                self.add("entries", f"{name} follows no full segment", first)
                if first >= self.sealed:
                    continue
            if torn:
                self.add("entries", f"{name} ends in a torn line", first + len(whole))
            if number == max(numbers) and not self.files[name]:
                self.add("entries", f"{name} is empty", first)
            if len(whole) != SEGMENT and self.sealed > end:
                self.add("entries", f"{name} holds {len(whole)} lines")
            found.update(enumerate(whole, first))
        for name in names:
            if not re.fullmatch(r"[0-9]{6}|[1-9][0-9]{6,8}", name[len(prefix) : -6]):
                self.add("entries", f"{name} is no segment's name")
        return found if which == "private" else list(found.values())

    def read_one(self, index: int, line: bytes, private: bytes | None) -> None:
        named = f"entry {index}"
        try:
            entry = read_entry(line)
        except Fault as fault:
            self.add("entries", f"{named} {fault}", index)
            return
        values, gone = self.private_values(index, entry, private)
        if index == 0 and entry["kind"] == "case.opened" and values is not None:
            is_named = values.get("root_sha256") == sha256(self.files.get("root.json", b""))
            if not is_named:  # then nothing is judged by it
                self.case, self.root_keys = None, {}
        author = entry["author"]
        if self.case is not None and entry["case"] != self.case:
            self.add("entries", f"{named} belongs to another case", index)
        if entry["prev"] != self.last_leaf.get(author):
            self.add("entries", f"{named} does not follow its author's last entry", index)
        self.last_leaf[author] = self.leaves[index].hex()
        problem = self.signing_problem(entry) if self.case is not None else None
        if problem:
            self.add("signatures", f"{named} {problem}", index)
        if values is None:
            return
        if gone:
            self.blank[index] = entry["kind"], gone
        self.note(index, entry, values)
        if index < self.sealed and not problem:
            self.take_effect(index, entry, values)

    def private_values(
        self, index: int, entry: dict[str, Any], private: bytes | None
    ) -> tuple[dict[str, Any] | None, set[str]]:
        try:
            if private is None:
                raise Fault("has no private line")
            return read_private(entry, private)
        except Fault as fault:
            self.add("private values", f"entry {index} {fault}", index)
            return None, set()

    def note(self, index: int, entry: dict[str, Any], values: dict[str, Any]) -> None:
        if index >= self.sealed:
            self.tail_references.update(object_references(entry["kind"], values))
            if index == 0 and entry["kind"] == "case.opened":
                self.opening = values
            return
        for digest in object_references(entry["kind"], values):
            self.erased_objects.discard(digest)  # "Erasure": the same bytes came in again
            self.references.setdefault(digest, index)
        if index == 0 and entry["kind"] == "case.opened":
            self.opening = values
        elif entry["kind"] == "acquisition.started":
            self.open_acquisitions.add(self.leaves[index].hex())
        elif entry["kind"] == "acquisition.finished":
            self.open_acquisitions.discard(str(values.get("acquisition")))

    def signing_problem(self, entry: dict[str, Any]) -> str | None:
        kind, author, signature = entry["kind"], entry["author"], entry["sig"]
        roles = KINDS[kind]["roles"]
        if author in self.root_keys:
            item = self.root_keys[author]
            if "person" not in roles or kind not in item["signs"]:
                return f"is of a kind ({kind}) that its author may not sign"
            is_hex = _is_hex(signature, re.compile(r"[0-9a-f]{128}"))
            if not is_hex or not ed25519_holds(
                item["key"], bytes.fromhex(signature), signed_message(entry)
            ):
                return "has no signature of its author that holds"
            return None
        if author not in self.agents:
            return "is by a key that is neither in the root nor certified before it"
        if "agent" not in roles:
            return f"is of a kind ({kind}) that no agent may author"
        return None if signature is None else "is by an agent and yet signed"

    def take_effect(self, index: int, entry: dict[str, Any], values: dict[str, Any]) -> None:
        kind, author = entry["kind"], entry["author"]
        if self.case is not None and author not in self.root_keys:
            self.authors[index] = author
        try:
            if kind == "key.certified":
                self.certify(index, values)
            elif kind == "object.erased":
                self.erase(index, values)
            elif kind == "authority.pinned":
                self.authorities[self.leaves[index].hex()] = index
            elif kind == "checkpoint.stamped":
                self.stamps.append((index, values))
            elif kind == "witness.pinned":
                self.witnesses[self.leaves[index].hex()] = index
            elif kind == "checkpoint.cosigned":
                self.cosigned.append((index, values))
            elif kind == "case.opened" and index:
                raise Fault("opens the case a second time")
        except Fault as fault:
            self.add("entries", f"entry {index} {fault}")

    def certify(self, index: int, values: dict[str, Any]) -> None:
        key = {"id" if field == "key" else field: value for field, value in values.items()}
        check_key(key, "agent")
        if key["id"] in self.root_keys:
            raise Fault("certifies a key of the root")
        if self.agents.setdefault(key["id"], (index, key))[1] != key:
            raise Fault("certifies a key again with another content")

    def erase(self, own: int, values: dict[str, Any]) -> None:
        entries, objects = values.get("entries"), values.get("objects")
        if not isinstance(entries, list) or not are_strings(objects):
            raise Fault("names nothing that can be erased")
        named: list[tuple[int, str, list[str]]] = []
        for part in entries:
            if not isinstance(part, list) or len(part) != 3:
                raise Fault("names nothing that can be erased")
            index, leaf, fields = part
            if type(index) is not int or not are_strings([leaf]) or not are_strings(fields):
                raise Fault("names nothing that can be erased")
            if not 0 <= index < own:
                raise Fault("names an entry that does not stand before it")
            named.append((index, leaf, fields))
        for index, leaf, fields in named:
            self.allowed.setdefault((index, leaf), set()).update(fields)
        self.erased_objects.update(objects)

    # step 5
    def check_root(self) -> None:
        if self.is_begun and not self.leaves:
            self.problems.append("sealed to the end: the case was begun and never opened")
        elif self.opening is None:
            self.add("root", "entry 0 is not the opening of a case")
        elif self.opening.get("root_sha256") != sha256(self.files.get("root.json", b"")):
            self.add("root", "root.json is not the root that entry 0 names")

    # step 6
    def check_erasures(self) -> None:
        for index, (kind, gone) in self.blank.items():
            named = self.allowed.get((index, self.leaves[index].hex()), set())
            extra = gone if kind in NEVER_ERASED else gone - named
            if extra:
                self.add("erasures", f"entry {index} lacks {sorted(extra)}, which no erasure names")
        for (index, leaf), named in self.allowed.items():
            gone = self.blank.get(index, ("", set()))[1]
            left = named - gone if leaf == self.leaves[index].hex() else named
            if left:
                what = f"entry {index} still holds {sorted(left)}, logged as erased"
                self.problems.append(f"sealed to the end: {what}")

    # step 7
    def check_tree(self, head: dict[str, Any]) -> None:
        if head["size"] > len(self.leaves):
            self.add("tree", f"{len(self.leaves)} entries; the checkpoint covers {head['size']}")
        elif tree_root(self.leaves[: head["size"]]) != head["root"]:
            self.add("tree", "the entries do not hash to the root signed")

    # step 8
    def check_checkpoints(self, head: dict[str, Any] | None) -> None:
        signers: dict[int, set[str]] = {}
        names = sorted(name for name in self.files if KEPT.fullmatch(name))
        notes = [(name, self.take_note(name)) for name in names]
        if self.is_begun:
            self.problems.append("sealed to the end: the case was begun and never sealed")
        elif "log/checkpoint" not in self.files:
            self.add("checkpoint", "log/checkpoint is missing")
        before: tuple[str, dict[str, Any], str] | None = None
        for name, note in [*notes, ("log/checkpoint", head)]:
            if note is None:
                continue
            try:
                self.check_place(name, note)
                certified = [key for at, key in self.agents.values() if at < note["size"]]
                signer = signer_of(note, certified)
                signers.setdefault(note["size"], set()).add(signer["id"])
                self.check_needed(before, note, signer["id"])
                before = (name, note, signer["id"])
            except Fault as fault:
                self.add("checkpoint", f"{name} {fault}")
        self.check_cover(signers)

    def check_needed(
        self, before: tuple[str, dict[str, Any], str] | None, note: dict[str, Any], signer: str
    ) -> None:
        """A kept checkpoint is followed by one of another agent."""
        if before and before[1] == note:
            self.problems.append(f"sealed to the end: {before[0]} is the latest")
        elif before and before[1]["size"] < note["size"] and before[2] == signer:
            self.add("files", f"{before[0]} was not to be kept: no other agent took over")

    def check_place(self, name: str, note: dict[str, Any]) -> None:
        if self.case is not None and note["origin"] != f"muniment/case/{self.case}".encode():
            raise Fault("is of another case")
        if name == "log/checkpoint":
            return
        size = note["size"]
        is_head = size <= len(self.leaves) and tree_root(self.leaves[:size]) == note["root"]
        if not name.endswith(f"/{size:012d}") or not is_head or size > self.sealed:
            raise Fault("is not a head of this log")

    def check_cover(self, signers: dict[int, set[str]]) -> None:
        sizes = sorted(signers)
        for index, author in self.authors.items():
            size = next((size for size in sizes if size > index), None)
            if size is not None and author not in signers[size]:
                self.add("checkpoint", f"entry {index} is by agent {author}, sealed by another")

    # step 9: files and digests; the signatures of authorities and witnesses are not judged here
    def check_stamps(self) -> None:
        named: set[str] = set()
        each = [("time stamps", self.authorities, "authority", *one) for one in self.stamps]
        each += [("witnesses", self.witnesses, "witness", *one) for one in self.cosigned]
        for check, known, whose, index, values in each:
            try:
                if known.get(values.get(whose), index) >= index:
                    raise Fault(f"names no {whose} that was pinned before it")
                files = values["files"].values() if "files" in values else [values["file"]]
                for part in files:
                    name = part["file"]
                    named.add(name)
                    if not re.fullmatch(STAMP, name):
                        raise Fault(f"names a file that is none of a stamp ({name[:80]})")
                    if sha256(self.files.get(name, b"\0missing")) != part["sha256"]:
                        raise Fault(f"names {name}, which is missing or has other bytes")
            except (KeyError, TypeError, AttributeError) as error:
                self.add(check, f"entry {index} is not in its form ({error})")
            except Fault as fault:
                self.add(check, f"entry {index} {fault}")
        for name in self.files:
            if re.fullmatch(STAMP, name) and name not in named:
                self.problems.append(f"sealed to the end: {name} is named by no entry")

    # steps 10 and 11
    def check_objects(self) -> None:
        seen: set[str] = set()
        for name, data in self.files.items():
            match = re.fullmatch(r"objects/sha256/([0-9a-f]{2})/([0-9a-f]{62})", name)
            if not match:
                continue
            digest = match[1] + match[2]
            seen.add(digest)
            if sha256(data) != digest:
                self.add("objects", f"{name} does not hold the bytes of its name")
            elif digest in self.erased_objects:
                self.problems.append(f"sealed to the end: {name} is logged as erased, still there")
            elif digest not in self.references and digest not in self.tail_references:
                self.problems.append(f"sealed to the end: {name} is named by no entry")
        for digest, index in self.references.items():
            if digest not in seen and digest not in self.erased_objects:
                self.add("objects", f"object {digest} of entry {index} is missing")
        for digest in self.tail_references - seen - set(self.references):
            self.problems.append(f"sealed to the end: object {digest} of the tail is not there")


def are_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def verify(files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with a case (file name -> bytes); empty when it is consistent."""
    return Verification(files).run()


def exit_code(problems: Iterable[str]) -> int:
    """20 before 21 before 3; 0 when there is no problem."""
    codes = {EXIT_CODES[problem.partition(": ")[0]] for problem in problems}
    return next((code for code in (20, 21, 3) if code in codes), 0)


def read_folder(case: Path) -> dict[str, bytes]:
    """The files of a case folder but for work/ and report/. No link is followed: what is no regular
    file, and an empty folder where none may be, stands there under a name that no case has."""
    files: dict[str, bytes] = {}
    for folder, below, names in os.walk(case):
        here = Path(folder).relative_to(case).as_posix()
        if here == ".":
            below[:] = [name for name in below if name not in ("work", "report")]
        is_prefix = re.fullmatch(r"objects/sha256/[0-9a-f]{2}", here)
        if not below and not names and here != "." and here not in MAY_BE_EMPTY and not is_prefix:
            # "Folder": one that a takeover cut short may leave.
            kept = here in ("log/checkpoints", "log/stamps")
            files[f"{here}/" if kept else f"{here}: an empty folder"] = b""
        for name in [*names, *below]:
            path = Path(folder) / name
            relative = path.relative_to(case).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                files[f"{relative}: no regular file"] = b""
            elif path.is_file():
                files[relative] = path.read_bytes()
    return files


# ---------------------------------------------------------------- "Proofs"


def verify_proof(proof: bytes, line: bytes, agents: Iterable[dict[str, Any]]) -> list[str]:
    """What is wrong with a `.tlog-proof` for an entry line, given the certified agent keys."""
    top, _, note = proof.partition(b"\n\n")
    header, index, *path = top.decode("ascii", "replace").split("\n")
    if header != "c2sp.org/tlog-proof@v1" or not re.fullmatch(r"index (0|[1-9][0-9]{0,15})", index):
        return ["is no proof"]
    try:
        head = read_note(note)
        hashes = [base64.b64decode(part, validate=True) for part in path]
        if any(len(part) != 32 for part in hashes):
            raise Fault("holds a hash of another length")
        if [base64.b64encode(part).decode() for part in hashes] != path:
            raise Fault("is no proof in its one exact form")
        signer_of(head, agents, need_mldsa=False)
    except (Fault, ValueError) as error:
        return [f"the proof {error}"]
    if root_from_path(leaf_hash(line), int(index[6:]), head["size"], hashes) != head["root"]:
        return ["the entry is not at that place under the checkpoint"]
    return []


# ---------------------------------------------------------------- "The worked example"


def build(inputs: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of the page's worked example, from the inputs the page states."""
    seeds = {role: bytes.fromhex(inputs[role]["ed25519_seed"]) for role in ("person", "agent")}
    signing = {role: Ed25519PrivateKey.from_private_bytes(seed) for role, seed in seeds.items()}
    public = {role: key.public_key().public_bytes_raw() for role, key in signing.items()}
    ids = {role: sha256(raw)[:32] for role, raw in public.items()}
    objects = {name: text.encode() for name, text in inputs["objects"].items()}
    person = {
        "ed25519": public["person"].hex(),
        "id": ids["person"],
        "mldsa44": None,
        "name": inputs["person"]["name"],
        "role": "person",
    }
    keys = [{"key": person, "signs": inputs["person"]["signs"]}]
    files = {
        "root.json": encode({"case": inputs["case"], "format": "muniment-root/1", "keys": keys})
        + b"\n"
    }
    known = {"SHA-256 of root.json": sha256(files["root.json"])}
    known |= {f"SHA-256 of {name}": sha256(data) for name, data in objects.items()}
    for role in ("person", "agent"):
        known |= {
            f"key id of the {role}": ids[role],
            f"public key of the {role}": public[role].hex(),
        }
    lines: list[bytes] = []
    stored: list[dict[str, Any]] = []
    last: dict[str, str] = {}
    salts = 0
    for item in inputs["entries"]:
        values = _fill(item["values"], known)
        pairs: dict[str, Any] = {}
        for field in sorted(values):
            salts += 1
            pairs[field] = [f"{salts:032x}", values[field]]
        role = item["author"]
        entry = {
            "_sd": {field: sha256(encode(pair)) for field, pair in pairs.items()},
            "at": item["at"],
            "author": ids[role],
            "case": inputs["case"],
            "kind": item["kind"],
            "prev": last.get(role),
            "sig": None,
            "v": 1,
        }
        if role == "person":
            entry["sig"] = signing[role].sign(signed_message(entry)).hex()
        line = encode(entry)
        last[role] = leaf_hash(line).hex()
        known[f"leaf hash of entry {len(lines)}"] = last[role]
        lines.append(line)
        stored.append(pairs)
    erased = _carry_out_erasures(inputs, lines, stored)
    files["log/entries/000000.jsonl"] = b"".join(line + b"\n" for line in lines)
    files["log/private/000000.jsonl"] = b"".join(encode(pairs) + b"\n" for pairs in stored)
    files["log/checkpoint"] = _note(inputs["case"], lines, signing["agent"], public["agent"])
    for data in objects.values():
        digest = sha256(data)
        if digest not in erased:
            files[f"objects/sha256/{digest[:2]}/{digest[2:]}"] = data
    return files


def build_proof(files: Mapping[str, bytes], index: int) -> bytes:
    """The `.tlog-proof` of an entry under the checkpoint of a one-segment case."""
    leaves = [leaf_hash(line) for line in files["log/entries/000000.jsonl"].split(b"\n")[:-1]]
    path = b"".join(base64.b64encode(part) + b"\n" for part in inclusion_path(leaves, index))
    return b"c2sp.org/tlog-proof@v1\nindex %d\n%s\n%s" % (index, path, files["log/checkpoint"])


def _fill(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith("<"):
        return known[value.strip("<>")]
    if isinstance(value, list):
        return [_fill(part, known) for part in value]
    if isinstance(value, dict):
        return {key: _fill(part, known) for key, part in value.items()}
    return value


def _carry_out_erasures(
    inputs: Mapping[str, Any], lines: list[bytes], stored: list[dict[str, Any]]
) -> set[str]:
    erased: set[str] = set()
    for pairs, item in zip(list(stored), inputs["entries"], strict=True):
        if item["kind"] == "object.erased":
            erased.update(pairs["objects"][1])
            for index, _, fields in pairs["entries"][1]:
                stored[index] = {**stored[index], **dict.fromkeys(fields)}
    return erased


def _note(case: str, lines: list[bytes], key: Ed25519PrivateKey, public: bytes) -> bytes:
    origin = f"muniment/case/{case}".encode()
    root = base64.b64encode(tree_root([leaf_hash(line) for line in lines]))
    text = b"%s\n%d\n%s\n" % (origin, len(lines), root)
    signature = base64.b64encode(note_key_id(origin, 1, public.hex()) + key.sign(text))
    return b"%s\n\xe2\x80\x94 %s %s\n" % (text, origin, signature)


def main(say: Callable[[str], object] = print) -> int:
    """Verify the folder named on the command line; the exit code."""
    problems = verify(read_folder(Path(sys.argv[1])))
    for problem in problems:
        say(problem)
    say(f"{len(problems)} problems")
    return exit_code(problems)


if __name__ == "__main__":
    sys.exit(main())
