"""The second judge of time stamps: `openssl ts -verify`, run beside the first library."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final

TIMEOUT_S: Final = 20
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL
)
_REASON: Final = re.compile(r":(?:[^:]*):([^:]+):[^:]*\.c:\d+:(.*)$", re.MULTILINE)


class OpenSsl:
    """The `openssl` on the search path (see `custody.verify_stamps.CrossCheck`)."""

    def __init__(self) -> None:
        self._program = shutil.which("openssl")
        self._version: str | None = None
        self._asked = False

    def version(self) -> str | None:
        """See `CrossCheck`; another program under that name (LibreSSL) counts as none."""
        if not self._asked:
            self._asked = True
            done = self._run(["version"], Path("/"))
            words = done.stdout.split() if done and done.returncode == 0 else []
            if words[:1] == ["OpenSSL"]:
                self._version = " ".join(words[:2])
        return self._version

    def problem(self, response: bytes, message: bytes, pem: str, moment: datetime) -> str | None:
        """See `CrossCheck`."""
        certificates = _CERTIFICATE.findall(pem)
        if not certificates:
            return "no certificate is pinned"
        with tempfile.TemporaryDirectory(prefix="muniment-") as name:
            folder = Path(name)
            (folder / "response").write_bytes(response)
            (folder / "message").write_bytes(message)
            (folder / "root").write_text(certificates[-1])
            (folder / "chain").write_text("".join(certificates[:-1] or certificates))
            words = ["ts", "-verify", "-data", "message", "-in", "response", "-CAfile", "root"]
            words += ["-untrusted", "chain", "-attime", str(int(moment.timestamp()))]
            done = self._run(words, folder)
        if done is None:
            return "it gave no answer"
        if done.returncode == 0 and "Verification: OK" in done.stdout + done.stderr:
            return None
        reasons = [f"{one[0]} {one[1]}".strip() for one in _REASON.findall(done.stderr)]
        return (reasons[-1] if reasons else "verification failed")[:200]

    def _run(self, words: list[str], folder: Path) -> subprocess.CompletedProcess[str] | None:
        if self._program is None:
            return None
        # No settings of this machine: the verdict must not depend on them.
        environment = {"PATH": os.defpath, "LC_ALL": "C", "OPENSSL_CONF": os.devnull}
        try:
            return subprocess.run(
                [self._program, *words],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
