"""Sets the scene of the escapes and runs both arms."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muniment.sandbox.host import Running, Zygote
from muniment.sandbox.records import Ended, Limits

ROOT = Path(__file__).parents[2]
ENTRY = "tests.escapes.escape_worker:run"
LIMITS = Limits(memory_bytes=512 << 20, cpu_s=1, wall_s=20, output_bytes=16 << 20)
#: The attempt that only takes time gets little of it.
TIGHT = Limits(memory_bytes=512 << 20, cpu_s=60, wall_s=0.4, output_bytes=16 << 20)
_AT_ONCE = 4
_TARGET = """
import ctypes, sys, time
memory = ctypes.create_string_buffer(b"memory of target", 16)
print(ctypes.addressof(memory), flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Scene:
    """What an attempt finds set out for it. `secret` must be found by nobody confined."""

    world: dict[str, Any]
    secret: str


def _folder(stack: ExitStack) -> Path:
    """A folder that everybody may change: nothing but confinement shall refuse."""
    folder = Path(tempfile.mkdtemp(prefix="muniment-escapes-"))
    stack.callback(shutil.rmtree, folder)
    folder.chmod(0o777)
    (folder / "empty").mkdir()
    (folder / "empty").chmod(0o777)
    (folder / "mount").mkdir()
    # Where a layer is left out for measuring, something may have been mounted there.
    stack.callback(ctypes.CDLL(None).umount2, bytes(folder / "mount"), 2)
    for name in ("file", "to_rename", "to_unlink", "to_truncate"):
        (folder / name).write_bytes(b"set out to be read")
        (folder / name).chmod(0o666)
    (folder / "link").symlink_to(folder / "file")
    return folder


def _listeners(stack: ExitStack, folder: Path) -> dict[str, Any]:
    tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    udp.bind(("127.0.0.1", 0))
    path, abstract = stack.enter_context(socket.socket(socket.AF_UNIX)), f"muniment-{os.getpid()}"
    path.bind(str(folder / "socket"))
    (folder / "socket").chmod(0o777)
    path.listen(8)
    hidden = stack.enter_context(socket.socket(socket.AF_UNIX))
    hidden.bind("\0" + abstract)
    hidden.listen(8)
    return {
        "tcp_port": tcp.getsockname()[1],
        "udp_port": udp.getsockname()[1],
        "unix_path": str(folder / "socket"),
        "unix_abstract": abstract,
    }


@contextmanager
def scene() -> Iterator[Scene]:
    """Files, listeners, a process to attack and a secret."""
    with ExitStack() as stack:
        folder = _folder(stack)
        target = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-S", "-c", _TARGET],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        stack.callback(target.kill)
        assert target.stdout is not None
        address = int(target.stdout.readline())
        shared = Path(f"/dev/shm/muniment-{os.getpid()}")
        with contextlib.suppress(OSError):
            shared.write_bytes(b"shared")
            shared.chmod(0o666)
            stack.callback(shared.unlink)
        secret = "cAnArY-" + secrets.token_hex(16)
        world = {
            **_listeners(stack, folder),
            "folder": str(folder),
            "file": str(folder / "file"),
            "input": str(folder / "file"),
            "link": str(folder / "link"),
            "to_rename": str(folder / "to_rename"),
            "to_unlink": str(folder / "to_unlink"),
            "to_rmdir": str(folder / "empty"),
            "to_mount": str(folder / "mount"),
            "to_truncate": str(folder / "to_truncate"),
            "shared_memory": str(shared),
            "host_pid": os.getpid(),
            "target_pid": target.pid,
            "target_address": address,
            "secret_sha256": hashlib.sha256(secret.encode()).hexdigest(),
        }
        yield Scene(world, secret)


def control_arm(one: Scene) -> dict[str, str]:
    """Every attempt without a sandbox: why it failed, or an empty string."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.escapes.control"],
        cwd=ROOT,
        input=json.dumps({**one.world, "secret": one.secret}),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _maps_of_forker(zygote: Zygote) -> str:
    """Where the memory lies that workers are forked from, as root may read it from outside."""
    pid = zygote.pid
    with contextlib.suppress(OSError, IndexError):
        pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""


def _writable(maps: str) -> str:
    """Only what a hunt looks into: a request is short."""
    lines = [line for line in maps.splitlines() if " rw-" in line and "[v" not in line]
    return "\n".join(" ".join(line.split()[:2]) for line in lines)


def confined_arm(one: Scene, zygote: Zygote, names: Iterable[str]) -> dict[str, Ended]:
    """Every attempt in a worker of its own."""
    maps = _writable(_maps_of_forker(zygote))
    source = os.open(one.world["input"], os.O_RDONLY)
    try:
        keep = {"name": "keep a secret", "secret": one.secret}
        zygote.spawn(json.dumps(keep).encode(), source, LIMITS).finish()
        waiting, running, ended = list(names), dict[str, Running](), dict[str, Ended]()
        while waiting or running:
            while waiting and len(running) < _AT_ONCE:
                name = waiting.pop()
                world = {**one.world, **({"maps": maps} if name == "find_a_secret" else {})}
                request = json.dumps({"name": name, "world": world}).encode()
                limits = TIGHT if name == "eat_time" else LIMITS
                running[name] = zygote.spawn(request, source, limits)
            name = next(iter(running))
            ended[name] = running.pop(name).finish()
    finally:
        os.close(source)
    return ended


def escaped(ended: Ended) -> bool:
    """Whether the attempt got through: it said so, or it became another program."""
    return ended.outcome == "done" and not ended.payload.startswith(b"denied ")
