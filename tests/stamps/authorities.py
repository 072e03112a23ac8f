"""Local time-stamping authorities: keys and answers by openssl, served over HTTP by a thread.

An authority can be made to misbehave: see `Authority.behave`.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

CONFIG = """[ req ]
distinguished_name = dn
[ dn ]
[ ca ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
{bulk}
[ leaf ]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
{points}
[ tsa ]
default_tsa = t
[ t ]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[ authority ]
default_ca = a
[ a ]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 3650
"""
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(folder: Path, *words: str, faked: str | None = None) -> None:
    """Run openssl in a folder; `faked` is a date it takes for now."""
    before = ["faketime", faked] if faked else []
    done = subprocess.run(
        [*before, "openssl", *words], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


class Authority:
    """Keys of one authority in a folder; `chain` is what a user pins."""

    def __init__(
        self, folder: Path, name: str, *, points: str = "", bulk: int = 0, faked: str | None = None
    ) -> None:
        self.folder, self.name = folder, name
        folder.mkdir(parents=True)
        extra = f"crlDistributionPoints = URI:{points}" if points else ""
        comment = f"nsComment = {'x' * bulk}" if bulk else ""
        (folder / "tsa.cnf").write_text(CONFIG.format(points=extra, bulk=comment))
        (folder / "serial").write_text("01\n")
        (folder / "index.txt").write_text("")
        (folder / "crlnumber").write_text("01\n")
        base = ["-config", "tsa.cnf"]
        openssl(
            folder, "req", "-x509", *EC, "-keyout", "ca.key", "-out", "ca.pem", "-days", "9000",
            "-subj", f"/O={name}/CN={name} root", *base, "-extensions", "ca", faked=faked,
        )  # fmt: skip
        self.issue(days=3650, faked=faked)
        self.url = ""
        self.asked = 0
        self.behave: Callable[[bytes], tuple[int, bytes]] | None = None

    def issue(self, *, days: int, faked: str | None = None) -> None:
        """A new key and certificate for signing tokens."""
        folder, base = self.folder, ["-config", "tsa.cnf"]
        openssl(
            folder, "req", *EC, "-keyout", "tsa.key", "-out", "tsa.csr",
            "-subj", f"/O={self.name}/CN={self.name} TSA", *base,
        )  # fmt: skip
        openssl(
            folder, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "tsa.pem", "-days", str(days), "-extfile", "tsa.cnf",
            "-extensions", "leaf", faked=faked,
        )  # fmt: skip
        parts = (folder / "tsa.pem", folder / "ca.pem")
        self.chain = folder / "chain.pem"
        self.chain.write_bytes(b"".join(part.read_bytes() for part in parts))

    def reply(self, request: bytes, *, faked: str | None = None, embed: bool = False) -> bytes:
        """The answer of `openssl ts` to a request."""
        number = f"{threading.get_ident()}"
        (self.folder / f"{number}.tsq").write_bytes(request)
        chain = ["-chain", "ca.pem"] if embed else []
        openssl(
            self.folder, "ts", "-reply", "-queryfile", f"{number}.tsq", "-inkey", "tsa.key",
            "-signer", "tsa.pem", *chain, "-config", "tsa.cnf", "-section", "t",
            "-out", f"{number}.tsr", faked=faked,
        )  # fmt: skip
        return (self.folder / f"{number}.tsr").read_bytes()

    def revoke(self, reason: str) -> None:
        """Revoke the signing certificate and write a list."""
        base = ["-config", "tsa.cnf", "-name", "a", "-keyfile", "ca.key", "-cert", "ca.pem"]
        openssl(self.folder, "ca", *base, "-revoke", "tsa.pem", "-crl_reason", reason)

    def revocation_list(self) -> bytes:
        """The list of what is revoked, PEM."""
        base = ["-config", "tsa.cnf", "-name", "a", "-keyfile", "ca.key", "-cert", "ca.pem"]
        openssl(self.folder, "ca", *base, "-gencrl", "-out", "list.pem")
        return (self.folder / "list.pem").read_bytes()


class _Handler(BaseHTTPRequestHandler):
    authority: Authority

    def do_POST(self) -> None:
        one = self.authority
        one.asked += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, data = one.behave(body) if one.behave else (200, one.reply(body))
        self._send(status, data)

    def do_GET(self) -> None:
        self._send(200, self.authority.revocation_list())

    def _send(self, status: int, data: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass  # the client had enough

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """An HTTP server in a thread; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def running(authority: Authority) -> Iterator[Authority]:
    """The authority behind an address."""
    with serving(type("Handler", (_Handler,), {"authority": authority})) as url:
        authority.url = url
        yield authority


def late(seconds: float) -> Callable[[bytes], tuple[int, bytes]]:
    """Answers so much later."""

    def behave(_: bytes) -> tuple[int, bytes]:
        time.sleep(seconds)
        return 200, b""

    return behave


DER = Encoding.DER
has_openssl = shutil.which("openssl") is not None
has_faketime = shutil.which("faketime") is not None
