"""Kernels that lack a layer, played by a filter that refuses the call that would put it on."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.unit.sandbox.conftest import ENTRY, ROOT

_RUN = """
import errno, json, os, sys
from muniment.errors import SandboxError
from muniment.sandbox import bpf, kernel
from muniment.sandbox.host import Zygote
calls, confined, entry, root = json.loads(sys.argv[1]), *sys.argv[2:5]
program = [bpf.Instruction(bpf.LOAD, 0, 0, 0)]
for number in calls:
    program.append(bpf.Instruction(bpf.IF_EQUAL, 0, 1, number))
    program.append(bpf.Instruction(bpf.RETURN, 0, 0, bpf.ERRNO | errno.ENOSYS))
program.append(bpf.Instruction(bpf.RETURN, 0, 0, bpf.ALLOW))
kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
kernel.Filter(bpf.encoded(tuple(program))).install()
try:
    zygote = Zygote.start(entry, paths=[root], confined=confined == "confined")
except SandboxError as error:
    print(json.dumps({"error": str(error)}))
    raise SystemExit
fd = os.open("/etc/hostname", os.O_RDONLY)
ended = zygote.spawn(b"echo hello", fd).finish()
layers = vars(zygote.layers)
print(json.dumps({"outcome": ended.outcome, "start": ended.payload[:5].decode(), **layers}))
zygote.close()
"""
_SYSCALLS = {"seccomp": 317, "landlock": 444, "unshare": 272}
_AARCH64 = {"seccomp": 277, "landlock": 444, "unshare": 97}


def run(*names: str, confined: bool) -> dict[str, object]:
    numbers = _SYSCALLS if "x86" in __import__("platform").machine() else _AARCH64
    calls = json.dumps([numbers[name] for name in names])
    done = subprocess.run(
        [sys.executable, "-c", _RUN, calls, "confined" if confined else "", ENTRY, str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_without_landlock_and_namespaces_seccomp_still_carries() -> None:
    found = run("landlock", "unshare", confined=True)
    assert found["outcome"] == "done" and found["start"] == "hello"
    assert found["seccomp"] is True and found["landlock_abi"] == 0 and found["namespaces"] == []
    assert "landlock_create_ruleset: Function not implemented" in str(found["reason"])


def test_without_seccomp_the_user_must_say_so() -> None:
    error = str(run("seccomp", confined=True)["error"])
    assert "--unconfined" in error and "Function not implemented" in error


def test_unconfined_goes_on_with_what_there_is() -> None:
    found = run("seccomp", confined=False)
    assert found["outcome"] == "done" and found["seccomp"] is False
    assert found["rlimits"] is True and found["no_new_privs"] is True


@pytest.mark.parametrize("confined", [False])
def test_unconfined_needs_no_layer_at_all(confined: bool) -> None:
    found = run("seccomp", "landlock", "unshare", confined=confined)
    assert found["outcome"] == "done" and found["start"] == "hello"
