"""Key files outside the case, sealed with a passphrase.

A key file is one JSON object: the public part in clear, the private seeds sealed with
ChaCha20-Poly1305 under a key that Argon2id derives from a passphrase (RFC 9106's second
recommended option: 64 MiB, 3 passes, 4 lanes). Why not age's passphrase mode: docs/adr/0005.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import platformdirs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from muniment.custody.keys import PublicKey, SigningKey, has_mldsa
from muniment.errors import KeyFileError
from muniment.model import canonical
from muniment.model.entries import Role
from muniment.store import disk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEYS_VARIABLE: Final = "MUNIMENT_KEYS"
FILE_FORMAT: Final = "muniment-key/1"
MEMORY_KIB: Final = 64 * 1024
PASSES: Final = 3
LANES: Final = 4
#: A key file that asks for more than this is hostile, not strong.
MAX_MEMORY_KIB: Final = 1024 * 1024
MAX_PASSES: Final = 16
#: No key file is larger.
MAX_FILE_BYTES: Final = 1 << 16


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    public: PublicKey
    kdf: str
    memory_kib: int
    passes: int
    lanes: int
    salt: str
    nonce: str
    sealed: str


def _derive(passphrase: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    kdf = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory_kib)
    return kdf.derive(canonical.text(passphrase).encode())


def _bound_header(file: _KeyFile) -> bytes:
    """The clear part that the seal also covers."""
    return canonical.encode(msgspec.structs.replace(file, sealed=""))


class KeyFolder:
    """The folder of key files: `$MUNIMENT_KEYS`, else the user's data folder."""

    def __init__(self, path: Path | None = None) -> None:
        chosen = path or os.environ.get(KEYS_VARIABLE)
        self.path = Path(chosen or Path(platformdirs.user_data_dir("muniment")) / "keys")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps two first uses at once from making two keys.

        Raises:
            StorageError: if the folder cannot be made.
        """
        self._make()
        with disk.storage(self.path):
            fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _make(self) -> None:
        if os.path.lexists(self.path) and not self.path.is_dir():
            raise KeyFileError(
                "is no folder",
                subject=str(self.path),
                remedy=f"Point {KEYS_VARIABLE} at the folder that holds the key files.",
            )
        with disk.storage(self.path):
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def find(self, role: Role, name: str | None = None) -> Path | None:
        """The key file of that role (and name, for persons), or None.

        Raises:
            KeyFileError: if two files fit.
        """
        fits = [
            path
            for path, public in self.all()
            if public.role is role and (name is None or public.name == name)
        ]
        if len(fits) > 1:
            raise KeyFileError(
                f"{len(fits)} {role} keys fit",
                subject=str(self.path),
                remedy="Move all but one elsewhere, or point MUNIMENT_KEYS at another folder.",
            )
        return fits[0] if fits else None

    def all(self) -> Iterator[tuple[Path, PublicKey]]:
        """(file, public part) of every key file.

        Raises:
            KeyFileError: if a file is damaged.
        """
        if self.path.is_dir():
            for path in sorted(self.path.glob("*.key")):
                yield path, _read(path).public

    def create(self, role: Role, name: str, passphrase: str) -> SigningKey:
        """Make a key and its file (mode 0600).

        Raises:
            KeyFileError: if the passphrase is empty.
            StorageError: if the disk refuses.
        """
        if not passphrase:
            raise KeyFileError(
                "the passphrase is empty",
                subject=f"{role} key {name}",
                remedy="Choose a passphrase; it protects who may sign in your name.",
            )
        name = canonical.text(name)
        mldsa_seed = secrets.token_bytes(32) if role is Role.AGENT and has_mldsa() else None
        seeds = secrets.token_bytes(32), mldsa_seed
        key = SigningKey(role, name, *seeds)
        salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
        file = _KeyFile(
            FILE_FORMAT,
            key.public,
            "argon2id",
            MEMORY_KIB,
            PASSES,
            LANES,
            salt.hex(),
            nonce.hex(),
            "",
        )
        secret = _derive(passphrase, salt, MEMORY_KIB, PASSES, LANES)
        plain = seeds[0] + (seeds[1] or b"")
        sealed = _cipher(secret).encrypt(nonce, plain, _bound_header(file))
        data = canonical.encode(msgspec.structs.replace(file, sealed=sealed.hex())) + b"\n"
        path = self.path / _name(key.public)
        self._make()
        disk.replace(path, data, temp_folder=self.path / "tmp", mode=0o600)
        return key


def _cipher(secret: bytes) -> ChaCha20Poly1305:
    """The cipher of key files; loaded only where one is sealed or opened."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(secret)


def unlock(path: Path, passphrase: str) -> SigningKey:
    """Open a key file.

    Raises:
        KeyFileError: if the file is damaged or the passphrase is wrong.
    """
    file = _read(path)
    try:
        secret = _derive(
            passphrase, bytes.fromhex(file.salt), file.memory_kib, file.passes, file.lanes
        )
        nonce, sealed = bytes.fromhex(file.nonce), bytes.fromhex(file.sealed)
        plain = _cipher(secret).decrypt(nonce, sealed, _bound_header(file))
        key = SigningKey(file.public.role, file.public.name, plain[:32], plain[32:] or None)
    except InvalidTag as error:
        raise KeyFileError(
            "the passphrase is wrong, or the file was changed",
            subject=f"{file.public.role} key of {file.public.name} ({path})",
            remedy="Try again. A lost one cannot be recovered; an agent key can be replaced: move its "
            "file away, and the next run makes a new one, which a person certifies.",
        ) from error
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    if key.public != file.public:
        raise _damaged(path, "its public part is of another key")
    return key


def _read(path: Path) -> _KeyFile:
    try:
        file = msgspec.json.decode(_bytes(path), type=_KeyFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error
    if file.format != FILE_FORMAT or file.kdf != "argon2id" or not file.public.is_consistent():
        raise _damaged(path, "not a key file of this version")
    costs: tuple[Any, ...] = (file.memory_kib, file.passes, file.lanes)
    if not (
        8 <= costs[0] <= MAX_MEMORY_KIB and 1 <= costs[1] <= MAX_PASSES and 1 <= costs[2] <= 64
    ):
        raise _damaged(path, "asks for an unreasonable amount of work")
    # Else a changed role would hide a key, and a new one would silently take its place.
    role = path.name.partition("-")[0]
    if role in tuple(Role) and path.name != _name(file.public):
        raise _damaged(path, f"it says it is {_name(file.public)}")
    return file


def _name(public: PublicKey) -> str:
    """File name of a key."""
    return f"{public.role}-{public.id[:12]}.key"


def _bytes(path: Path) -> bytes:
    """What a key file holds; whatever else lies there is never waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as stream:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise _damaged(path, "not a regular file")
            return stream.read(MAX_FILE_BYTES)
    except OSError as error:
        raise KeyFileError(
            f"cannot be read ({(error.strerror or str(error)).lower()})",
            subject=str(path),
            remedy="Give yourself read permission, or move it away.",
        ) from error


def _damaged(path: Path, why: str) -> KeyFileError:
    return KeyFileError(
        f"is no usable key file ({why})",
        subject=str(path),
        remedy="Restore it from your backup, or move it away.",
    )
