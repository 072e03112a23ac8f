"""RFC 3161 tokens: the certificates an authority is pinned by, and the judging of its answer. Pure.

`rfc3161-client` judges the signature; that it is the pinned certificate's, over these bytes, and at a
time at which every certificate of the chain was valid, is asked here besides. Nothing embedded in a
token is ever trusted. Source: RFC 3161; RFC 5280 for certificates and revocation lists.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from muniment.errors import MalformedError, SignatureError
from muniment.model.times import format_utc

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

#: All certificates of one authority, PEM: the entry that pins them must hold them.
MAX_PEM_BYTES: Final = 15_000
#: No answer of an authority is larger.
MAX_RESPONSE_BYTES: Final = 256 * 1024
_SHA256: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_CRL: Final = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----\s*", re.DOTALL)
#: What the libraries raise for bytes that are no token (an unknown string type is a KeyError).
_BROKEN: Final = (
    *(ValueError, KeyError, TypeError, AttributeError, OverflowError),
    *(x509.InvalidVersion, x509.UnsupportedGeneralNameType, x509.DuplicateExtension),
)
#: RFC 3161, section 4: with these a token from before the revocation stays good, else none does.
_HARMLESS: Final = frozenset(
    {
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    }
)


class Chain(msgspec.Struct, frozen=True):
    """An authority's certificate, then each issuer's, the last signed by itself."""

    certificates: tuple[x509.Certificate, ...]

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate that signs tokens."""
        return self.certificates[0]

    def pem(self) -> str:
        """All of them, in order."""
        return "".join(pem_of(one) for one in self.certificates)

    def fingerprints(self) -> tuple[str, ...]:
        """SHA-256 (hex) of each certificate's DER."""
        return tuple(fingerprint(one) for one in self.certificates)


class Token(msgspec.Struct, frozen=True):
    """What a token that holds says: the hash existed before `time_utc` plus `accuracy_s`."""

    time: datetime
    accuracy_s: float
    revocation: str

    def before(self) -> datetime:
        """The end of the interval it proves."""
        return self.time + timedelta(seconds=self.accuracy_s)


class Request(msgspec.Struct, frozen=True):
    """A request in DER, and the nonce that its answer must repeat."""

    data: bytes
    nonce: int


def pem_of(certificate: x509.Certificate) -> str:
    """One certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 (hex) of a certificate's DER."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def certificates(pem: bytes) -> list[x509.Certificate]:
    """Every certificate in a PEM file; none when it holds none."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        return []


def read_chain(pem: bytes) -> Chain:
    """The chain that a PEM file holds, in whatever order.

    Raises:
        MalformedError: if it is none, is not whole, or holds a certificate more.
    """
    if len(pem) > MAX_PEM_BYTES:
        raise MalformedError(f"has {len(pem):,} bytes; {MAX_PEM_BYTES:,} are the most")
    try:
        found = x509.load_pem_x509_certificates(pem)
        leaves = [one for one in found if _stamps(one)]
    except (ValueError, x509.DuplicateExtension) as error:
        raise MalformedError("holds no certificates in PEM") from error
    if len(leaves) != 1:
        raise MalformedError(
            f"holds {len(leaves)} certificates for time stamping, and must hold one"
        )
    chain, left = [leaves[0]], [one for one in found if one != leaves[0]]
    while not _issued(chain[-1], chain[-1]):
        above = next((one for one in left if _issued(one, chain[-1])), None)
        if above is None:
            raise MalformedError(
                "its chain is not whole: it ends at a certificate issued by"
                f" {chain[-1].issuer.rfc4514_string()}"
            )
        left.remove(above)
        chain.append(above)
    if left:
        raise MalformedError(
            f"holds a certificate that is no part of the chain ({left[0].subject.rfc4514_string()})"
        )
    return Chain(tuple(chain))


def _stamps(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage.value


def _issued(above: x509.Certificate, below: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def request(message: bytes, *, with_certificates: bool) -> Request:
    """A request for a token over the SHA-256 of `message`, with a random nonce.

    Args:
        with_certificates: ask that the answer embeds the authority's certificates.
    """
    builder = TimestampRequestBuilder(message, HashAlgorithm.SHA256, True, with_certificates)
    made = builder.build()
    if made.nonce is None:
        raise SignatureError("the request was made without a nonce")
    return Request(made.as_bytes(), made.nonce)


def judge(
    response: bytes,
    message: bytes,
    chain: Chain,
    *,
    nonce: int | None = None,
    crls: bytes | None = None,
) -> Token:
    """What an answer proves about `message` under the pinned chain.

    Args:
        response: the whole TimeStampResp, DER.
        nonce: the request's, when the answer is fresh.
        crls: revocation lists in PEM, kept when it was stamped.
    Raises:
        SignatureError: naming the reason it is refused for.
    """
    try:
        answer = decode_timestamp_response(response)
        if answer.status != 0:
            words = "; ".join(answer.status_string)[:200] or f"status {answer.status}"
            raise SignatureError(f"the authority refused ({words})")
        info = answer.tst_info
        _check_content(answer, message, chain, nonce)
    except _BROKEN as error:
        raise SignatureError(f"is no time-stamp response ({_short(error)})") from error
    moment = info.gen_time.astimezone(UTC)
    for one in chain.certificates:
        if not one.not_valid_before_utc <= moment <= one.not_valid_after_utc:
            raise SignatureError(
                f"says {format_utc(moment)}, when {one.subject.rfc4514_string()} was not valid"
                f" ({format_utc(one.not_valid_before_utc)} to {format_utc(one.not_valid_after_utc)})"
            )
    verifier = VerifierBuilder(
        tsa_certificate=chain.leaf,
        intermediates=list(chain.certificates[1:-1]),
        roots=[chain.certificates[-1]],
        nonce=nonce,
    ).build()
    try:
        with warnings.catch_warnings():
            # Of odd certificates embedded in it, which are not trusted in any case.
            warnings.simplefilter("ignore")
            holds = verifier.verify(answer, hashlib.sha256(message).digest())
    except (VerificationError, *_BROKEN) as error:
        raise SignatureError(f"its signature does not hold ({_short(error)})") from error
    if not holds:
        raise SignatureError("its signature does not hold")
    accuracy = info.accuracy
    seconds = (accuracy.seconds or 0) + (accuracy.millis or 0) / 1e3 if accuracy else 0.0
    return Token(moment, seconds, _revocation(chain, crls or b"", moment))


def _check_content(
    answer: TimeStampResponse, message: bytes, chain: Chain, nonce: int | None
) -> None:
    """What is asked before the signature, so that the reason is named and not only `does not hold`."""
    info = answer.tst_info
    imprint = info.message_imprint
    if imprint.hash_algorithm != _SHA256 or imprint.message != hashlib.sha256(message).digest():
        raise SignatureError("is a token over other bytes (wrong imprint)")
    if nonce is not None and info.nonce != nonce:
        raise SignatureError("answers another request (wrong nonce)")
    signers = [(one.issuer, one.serial_number) for one in answer.signed_data.signer_infos]
    if signers != [(chain.leaf.issuer, chain.leaf.serial_number)]:
        raise SignatureError("is signed by another certificate than the one pinned")


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "InvalidSetOrdering" in text:
        return "the certificates embedded in it are not in DER order"
    return text[:160]


def _revocation(chain: Chain, crls: bytes, moment: datetime) -> str:
    """Whether the kept lists leave the chain standing, in words.

    Raises:
        SignatureError: if one revokes a certificate so that the token falls.
    """
    lists = []
    for text in _CRL.findall(crls):
        try:
            lists.append(x509.load_pem_x509_crl(text))
        except ValueError as error:
            raise SignatureError("a revocation list kept with it cannot be read") from error
    dates: list[datetime] = []
    for one, issuer in zip(chain.certificates, chain.certificates[1:], strict=False):
        for known in lists:
            if known.issuer != one.issuer:
                continue
            if not known.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
                raise SignatureError("a revocation list kept with it is not signed by the issuer")
            dates.append(known.last_update_utc)
            _refuse_revoked(known, one, moment)
    if not dates:
        return "revocation not checked: no list was kept"
    return f"not revoked by the list of {format_utc(min(dates))}"


def _refuse_revoked(
    known: x509.CertificateRevocationList, one: x509.Certificate, moment: datetime
) -> None:
    entry = known.get_revoked_certificate_by_serial_number(one.serial_number)
    if entry is None:
        return
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        reason = None
    revoked = entry.revocation_date_utc
    if reason not in _HARMLESS or revoked <= moment:
        why = reason.value if reason else "no reason given"
        raise SignatureError(
            f"{one.subject.rfc4514_string()} was revoked on {format_utc(revoked)} ({why})"
        )


def list_urls(chain: Chain) -> tuple[str, ...]:
    """Where the certificates of a chain say their revocation lists are."""
    found: dict[str, None] = {}
    for one in chain.certificates:
        try:
            points = one.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        except x509.ExtensionNotFound:
            continue
        for point in points:
            for name in point.full_name or ():
                if isinstance(name, x509.UniformResourceIdentifier):
                    found[name.value] = None
    return tuple(url for url in found if url.startswith(("http://", "https://")))


def list_in_pem(data: bytes) -> bytes:
    """A revocation list, DER or PEM, in PEM.

    Raises:
        MalformedError: if it is none.
    """
    try:
        load = x509.load_pem_x509_crl if data.startswith(b"-----") else x509.load_der_x509_crl
        return load(data).public_bytes(Encoding.PEM)
    except ValueError as error:
        raise MalformedError("is no revocation list") from error
