"""An entry's proof: that it stands in the log under a checkpoint, as a C2SP tlog-proof file.

It shows that the entry line is in the log; it says nothing about what private values mean. The
Ed25519 line of the checkpoint alone is enclosed by default, which keeps a proof below 1.5 kB.

Source: c2sp.org/tlog-proof@v1.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from muniment.custody import checkpoint as checkpoints
from muniment.custody.checkpoint import Checkpoint
from muniment.custody.keys import PublicKey
from muniment.custody.tree import Tree, leaf_hash, root_from_path
from muniment.errors import IntegrityError, MalformedError, SignatureError

HEADER: Final = "c2sp.org/tlog-proof@v1"


class Proof(msgspec.Struct, frozen=True):
    """Index of the entry, its inclusion path (32-byte hashes, leaf side first), the checkpoint."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    def encode(self) -> bytes:
        """The bytes of a `.tlog-proof` file."""
        lines = [HEADER, f"index {self.index}"]
        lines += [base64.b64encode(part).decode() for part in self.path]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint.encode()


def make(tree: Tree, index: int, head: Checkpoint, *, with_mldsa: bool = False) -> Proof:
    """The proof of entry `index` under `head`.

    Args:
        tree: holds at least the checkpoint's entries.
        with_mldsa: also enclose the 2.4 kB ML-DSA-44 signature.
    Raises:
        IndexError: if the checkpoint does not cover the entry.
    """
    ed25519_bytes = 64
    kept = tuple(
        line for line in head.signatures if with_mldsa or len(line.signature) == ed25519_bytes
    )
    path = tuple(tree.inclusion_path(index, head.size))
    return Proof(index, path, msgspec.structs.replace(head, signatures=kept))


def parse(data: bytes) -> Proof:
    """The proof whose exact bytes are `data`.

    Raises:
        MalformedError: if it is none.
    """
    try:
        top, _, note = data.partition(b"\n\n")
        header, index, *path = top.decode("ascii").split("\n")
        if header != HEADER or not re.fullmatch(r"index (0|[1-9][0-9]{0,15})", index):
            raise ValueError("no header of a proof")
        hashes = tuple(base64.b64decode(line, validate=True) for line in path)
        proof = Proof(int(index[6:]), hashes, checkpoints.parse(note))
    except (ValueError, binascii.Error) as error:
        raise MalformedError(f"is no proof ({error})") from error
    if any(len(part) != 32 for part in hashes) or proof.encode() != data:
        raise MalformedError("is no proof in its one exact form")
    return proof


def check(proof: Proof, line: bytes, agents: Sequence[PublicKey]) -> None:
    """Accept or refuse a proof for an entry line.

    Raises:
        IntegrityError: if the line is not at that place under the checkpoint.
        SignatureError: if no given agent signed the checkpoint.
    """
    head = proof.checkpoint
    if root_from_path(leaf_hash(line), proof.index, head.size, proof.path) != head.root:
        raise IntegrityError(
            f"the entry is not entry {proof.index} of the log under this checkpoint",
            subject=head.origin,
        )
    signer, _ = checkpoints.problems(head, list(agents))
    if signer is None:
        raise SignatureError("no given agent signed the checkpoint", subject=head.origin)
