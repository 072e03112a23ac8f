"""Both arms as an ordinary user, when the tests run as root: `python -m tests.escapes.ordinary`.

Root becomes nobody before anything else, which hides what goes wrong for a user with a number of
their own: the user they are is asked for again inside the new user namespace.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from muniment.sandbox.host import Zygote
from tests.escapes.arms import ENTRY, ROOT, confined_arm, control_arm, escaped, scene
from tests.escapes.attempts import ATTEMPTS

#: A user and a group of no account: no file is theirs, and they are not nobody.
USER = 54321


def main() -> None:
    """Prints {user, layers, control: {name: why not, or ""}, through: [name]} as JSON."""
    with scene() as one:
        with Zygote.start(ENTRY, paths=[str(ROOT)]) as zygote:
            ended = confined_arm(one, zygote, ATTEMPTS)
            layers = msgspec.to_builtins(zygote.layers)
        found = {
            "user": os.getresuid(),
            "layers": layers,
            "control": control_arm(one),
            "through": [name for name in ended if escaped(ended[name])],
        }
    json.dump(found, sys.stdout)


def run(folder: Path) -> dict[str, Any]:
    """What `main` prints as an ordinary user; only root can ask for it.

    Args:
        folder: an empty one, for mounts and as the user's home.
    Raises:
        RuntimeError: with what was said, if the user cannot be become or cannot read the program.
    """
    folder.chmod(0o755)
    home = folder / "home"
    home.mkdir()
    os.chown(home, USER, USER)
    settings = [f"HOME={home}", f"TMPDIR={home}"]
    program = ["env", *settings, sys.executable, "-B", "-m", "tests.escapes.ordinary"]
    done = subprocess.run(
        as_user(USER, program, folder),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-600:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def as_user(user: int, command: list[str], folder: Path) -> list[str]:
    """The command run by that user number, who can reach this Python, its libraries and the tests.

    Args:
        folder: where what lies below folders that only root may enter is held for a moment.
    """
    settled = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all"]
    here = 'cd "$PWD"'  # the folder as it is seen after the mounts
    script = "; ".join(["set -e", *_reachable(folder), here])
    # By a shell, which has no rights left: setpriv still has them while it starts a program.
    last = shlex.join([*settled, "sh", "-c", f"exec {shlex.join(command)}"])
    return ["unshare", "--mount", "sh", "-c", f"{script}; exec {last}"]


def _reachable(folder: Path) -> list[str]:
    """Commands that, in a mount namespace, put what the program needs below folders that only root
    may enter where everybody can reach it."""
    needed = {Path(sys.base_prefix).resolve(), Path(sys.prefix), ROOT}
    closed: dict[Path, list[Path]] = {}
    for path in sorted(needed):
        for parent in reversed(path.parents):
            if not parent.stat().st_mode & 0o001:
                closed.setdefault(parent, []).append(path)
                break
    steps = ["mount --make-rprivate /"]
    held: list[tuple[Path, Path]] = []
    for path in (one for below in closed.values() for one in below):
        aside = folder / f"held-{len(held)}"
        aside.mkdir()
        held.append((path, aside))
        steps.append(shlex.join(["mount", "--bind", str(path), str(aside)]))
    for parent in closed:
        steps.append(shlex.join(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(parent)]))
    for path, aside in held:
        steps.append(shlex.join(["mkdir", "-p", str(path)]))
        steps.append(shlex.join(["mount", "--bind", str(aside), str(path)]))
    return steps


if __name__ == "__main__":
    main()
