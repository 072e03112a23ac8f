"""Asking one authority for one stamp, or for the rest of a pending one; and judging what it sent."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from muniment.case.asking import ask
from muniment.custody import bitcoin, ots, token
from muniment.custody.judged import CrossCheck, refuse_earlier, refuse_odd_time
from muniment.errors import InputError, MalformedError, MunimentError, SignatureError
from muniment.model.stamps import Authority, Covered, Got, Method, State
from muniment.model.times import format_utc, now_utc

_ASKS: Final = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
}
_OTS: Final = {"Accept": "application/vnd.opentimestamps.v1"}
#: Revocation lists of one stamp together.
MAX_LISTS_BYTES: Final = 900_000


def stamp(authority: Authority, covered: Covered, cross: CrossCheck, timeout_s: float) -> Got:
    """A fresh stamp of a checkpoint.

    Raises:
        InputError: if the authority cannot be reached or sends no answer of use.
        SignatureError: if its token does not hold; nothing of it is kept.
    """
    if authority.method is Method.OPENTIMESTAMPS:
        return _begin(authority, covered, timeout_s)
    started = time.monotonic()
    chain = token.read_chain((authority.pem or "").encode())
    request = token.request(covered.note, with_certificates=authority.with_certificates)
    response = ask(
        authority.url,
        request.data,
        most_bytes=token.MAX_RESPONSE_BYTES,
        timeout_s=timeout_s,
        headers=_ASKS,
    )
    # Before any list is fetched: a token that does not hold needs none.
    token.judge(response, covered.note, chain, nonce=request.nonce)
    lists = revocation_lists(chain, timeout_s - (time.monotonic() - started))
    judged = token.judge(response, covered.note, chain, nonce=request.nonce, crls=lists)
    refuse_odd_time(judged.time, covered.last_at, now_utc())
    if covered.stamped:
        refuse_earlier(judged.before(), *covered.stamped)
    version = cross_checked(cross, response, covered.note, chain, judged.time)
    parts = {
        "checkpoint": covered.note,
        "request": request.data,
        "response": response,
        "certificates": chain.pem().encode(),
    }
    if lists:
        parts["revocation"] = lists
    checked_with = {"rfc3161-client": _version("rfc3161-client"), "openssl": version}
    return Got(State.STAMPED, format_utc(judged.time), parts, checked_with)


def cross_checked(
    cross: CrossCheck, response: bytes, message: bytes, chain: token.Chain, moment: datetime
) -> str | None:
    """The second program's version, None when there is none.

    Raises:
        SignatureError: if it refuses what the first accepts: both must agree.
    """
    version = cross.version()
    if version is None:
        return None
    problem = cross.problem(response, message, chain.pem(), moment)
    if problem:
        raise SignatureError(f"openssl refuses it: {problem}; both programs must agree")
    return version


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def probe(
    url: str,
    method: Method,
    chain: token.Chain | None,
    cross: CrossCheck,
    timeout_s: float,
) -> tuple[bool, Got]:
    """Ask for a stamp of random bytes: whether certificates must be embedded, and what came.

    Raises:
        SignatureError: if what it sends does not verify.
        InputError: if it cannot be reached.
    """
    pem = chain.pem() if chain else None
    covered = Covered(secrets.token_bytes(32), now_utc())
    first: MunimentError | None = None
    # Without first: embedded certificates are what the libraries read differently, and none is
    # needed, since the chain is pinned.
    for with_certificates in (False, True):
        asked = Authority("", url, "", method, pem, with_certificates)
        try:
            return with_certificates, stamp(asked, covered, cross, timeout_s)
        except SignatureError as error:
            first = first or error
        if method is Method.OPENTIMESTAMPS:
            break
    raise SignatureError(
        f"is refused: what it sends {'is' if first is None else first.what}",
        subject=url,
        remedy="Check the address, and that the PEM file holds this authority's certificates.",
    )


def revocation_lists(chain: token.Chain, timeout_s: float) -> bytes:
    """The revocation lists its certificates name, in PEM, as far as they can be had now."""
    found, size, end = list[bytes](), 0, time.monotonic() + timeout_s
    for url in token.list_urls(chain):
        left_s = end - time.monotonic()
        if left_s <= 0:
            break
        try:
            data = ask(url, None, most_bytes=MAX_LISTS_BYTES, timeout_s=left_s, headers={})
            pem = token.list_in_pem(data)
        except (InputError, MalformedError):
            continue  # it is said of the stamp that no list was kept
        if size + len(pem) <= MAX_LISTS_BYTES:
            found.append(pem)
            size += len(pem)
    return b"".join(found)


# ---------------------------------------------------------------- OpenTimestamps


def _begin(authority: Authority, covered: Covered, timeout_s: float) -> Got:
    proof, commitment = ots.begin(covered.note)
    answer = ask(
        f"{authority.url.rstrip('/')}/digest",
        commitment,
        most_bytes=ots.MAX_PROOF_BYTES,
        timeout_s=timeout_s,
        headers=_OTS,
    )
    try:
        proof.extend(commitment, answer)
    except MalformedError as error:
        raise SignatureError(error.what) from error
    if not proof.pending() and not proof.blocks():
        raise SignatureError("promises nothing: its answer holds no attestation")
    return _proof(proof, covered.note, State.PENDING, None, {})


def upgrade(
    authority: Authority,
    note: bytes,
    kept: bytes,
    headers: bytes | None,
    blocks: Mapping[int, bytes],
    timeout_s: float,
) -> Got | None:
    """The rest of a pending proof; None when the calendar does not have it yet.

    Args:
        headers: a run of Bitcoin headers; what of it bears on the proof is kept with it.
    Raises:
        InputError: if the calendar cannot be reached or sends no answer of use.
        SignatureError: if what it sends is refused.
    """
    proof = ots.read_proof(kept, note)
    asked, before = False, proof.blocks()
    for one in proof.pending():
        if not _same_owner(authority.url, one.uri):
            continue
        asked = True
        url = f"{one.uri.rstrip('/')}/timestamp/{one.commitment.hex()}"
        try:
            answer = ask(
                url, None, most_bytes=ots.MAX_PROOF_BYTES, timeout_s=timeout_s, headers=_OTS
            )
        except InputError as error:
            if error.what.endswith("status 404"):
                continue  # not in a block yet
            raise
        try:
            proof.extend(one.commitment, answer)
        except MalformedError as error:
            raise SignatureError(error.what, subject=url) from error
    if not asked and not before:
        raise SignatureError("owes a proof at an address that is not the authority's")
    if not proof.blocks():
        return None
    return _proof(proof, note, State.UPGRADED, headers, blocks)


def _proof(
    proof: ots.Proof,
    note: bytes,
    state: State,
    headers: bytes | None,
    pins: Mapping[int, bytes],
) -> Got:
    parts = {"checkpoint": note, "proof": proof.encode()}
    moment: str | None = None
    if headers is not None and proof.blocks():
        block = proof.blocks()[0]
        run = bitcoin.read_run(headers, pins)
        header = run.header(block.height)
        if header is not None:
            if bitcoin.merkle_root(header) != block.merkle_root:
                raise SignatureError(
                    f"the proof does not end in the merkle root of block {block.height:,}"
                )
            parts["headers"] = run.cut(block.height, pins)
            moment = format_utc(bitcoin.block_time(header))
    return Got(state, moment, parts, {"opentimestamps": _version("opentimestamps")})


def _same_owner(url: str, uri: str) -> bool:
    """Whether an address in a proof is the authority's own: the same host, or of the same domain. An
    answer must not make this machine ask elsewhere."""
    ours, theirs = urlsplit(url), urlsplit(uri)
    if theirs.scheme not in ("http", "https") or not theirs.hostname or not ours.hostname:
        return False
    if ours.netloc == theirs.netloc:
        return True
    domain = ".".join(ours.hostname.split(".")[-2:])
    is_name = not ours.hostname.replace(".", "").isdigit() and "." in ours.hostname
    return is_name and theirs.hostname.endswith(f".{domain}")
