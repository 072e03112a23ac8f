"""Getting at keys: which file, and the passphrase asked of whoever runs this, only when needed."""

from __future__ import annotations

import platform
from typing import Protocol

from muniment.custody.keyring import KeyFolder, unlock
from muniment.custody.keys import SigningKey
from muniment.errors import KeyFileError
from muniment.model import canonical
from muniment.model.entries import Role


class Secrets(Protocol):
    """Gives passphrases; the command line reads the environment or asks."""

    def passphrase(self, role: Role, name: str, *, is_new: bool) -> str:
        """The passphrase of that key, to open it or (`is_new`) to make it.

        Raises:
            KeyFileError: if there is nobody to ask.
        """


def person_key(keys: KeyFolder, secrets: Secrets, name: str, *, create: bool) -> SigningKey:
    """The unlocked key of a person, made on first use when `create`.

    Raises:
        KeyFileError: if there is none and `create` is false, or the passphrase is wrong.
    """
    name = canonical.text(name)
    with keys.locked():
        path = keys.find(Role.PERSON, name)
        if path is None and create:
            secret = secrets.passphrase(Role.PERSON, name, is_new=True)
            return keys.create(Role.PERSON, name, secret)
    if path is None:
        raise KeyFileError(
            f"no person key of {name} here",
            subject=str(keys.path),
            remedy="Point MUNIMENT_KEYS at the folder that holds it.",
        )
    return unlock(path, secrets.passphrase(Role.PERSON, name, is_new=False))


def agent_key(keys: KeyFolder, secrets: Secrets) -> SigningKey:
    """The unlocked agent key of this machine, made on first use.

    Raises:
        KeyFileError: if the passphrase is wrong.
    """
    name = canonical.text(platform.node() or "this machine")
    with keys.locked():
        path = keys.find(Role.AGENT)
        if path is None:
            return keys.create(Role.AGENT, name, secrets.passphrase(Role.AGENT, name, is_new=True))
    return unlock(path, secrets.passphrase(Role.AGENT, name, is_new=False))
