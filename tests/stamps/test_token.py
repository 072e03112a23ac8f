"""Judging an authority's answer: what holds, and every way it is refused, with the reason."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from muniment.case.openssl import OpenSsl
from muniment.custody import token
from muniment.errors import MalformedError, SignatureError
from tests.stamps import authorities
from tests.stamps.authorities import Authority

MESSAGE = b"muniment/case/00\n7\nabc=\n"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("office") / "a", "First Office")


@pytest.fixture(scope="module")
def rogue(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The same names, other keys."""
    return Authority(tmp_path_factory.mktemp("rogue") / "a", "First Office")


def chain_of(one: Authority) -> token.Chain:
    return token.read_chain(one.chain.read_bytes())


def refused(response: bytes, office: Authority, message: bytes = MESSAGE, **more: object) -> str:
    with pytest.raises(SignatureError) as raised:
        token.judge(response, message, chain_of(office), **more)  # type: ignore[arg-type]
    return raised.value.what


def test_a_token_holds_and_says_until_when(office: Authority) -> None:
    request = token.request(MESSAGE, with_certificates=False)
    response = office.reply(request.data)
    judged = token.judge(response, MESSAGE, chain_of(office), nonce=request.nonce)
    assert judged.before() - judged.time == timedelta(seconds=1)
    assert judged.revocation == "revocation not checked: no list was kept"
    problem = OpenSsl().problem(response, MESSAGE, chain_of(office).pem(), judged.time)
    assert problem is None


def test_other_bytes_other_nonce_garbage(office: Authority) -> None:
    request = token.request(MESSAGE, with_certificates=False)
    response = office.reply(request.data)
    assert "wrong imprint" in refused(response, office, MESSAGE + b" ")
    assert "wrong nonce" in refused(response, office, nonce=request.nonce + 1)
    for garbage in (b"", b"garbage", b"<html>", response[:-1], response + b"\0", bytes(4000)):
        assert "is no time-stamp response" in refused(garbage, office)


def test_a_refusal_of_the_authority_is_told(office: Authority) -> None:
    (office.folder / "bad.tsq").write_bytes(b"0\x03\x02\x01\x01")
    subprocess.run(
        ["openssl", "ts", "-reply", "-queryfile", "bad.tsq", "-inkey", "tsa.key", "-signer",
         "tsa.pem", "-config", "tsa.cnf", "-section", "t", "-out", "bad.tsr"],
        cwd=office.folder, capture_output=True, check=False,
    )  # fmt: skip
    what = refused((office.folder / "bad.tsr").read_bytes(), office)
    assert what.startswith("the authority refused (")


def test_another_authority_with_the_same_names_is_refused(
    office: Authority, rogue: Authority
) -> None:
    plain = token.request(MESSAGE, with_certificates=False)
    with_its_own = token.request(MESSAGE, with_certificates=True)
    assert "another certificate than the one pinned" in refused(rogue.reply(plain.data), office)
    assert "another certificate" in refused(rogue.reply(with_its_own.data), office)


def test_an_embedded_root_is_never_trusted(office: Authority, tmp_path: Path) -> None:
    # What clients before 1.0.9 accepted. openssl embeds the signer first: readable, in DER's order, when
    # the root is the longer one.
    attacker = Authority(tmp_path / "attacker", "First Office", bulk=400)
    request = token.request(MESSAGE, with_certificates=True)
    response = attacker.reply(request.data, embed=True)
    assert len(token.decode_timestamp_response(response).signed_data.certificates) == 2
    assert "another certificate than the one pinned" in refused(response, office)
    # Even with the attacker's own certificate pinned, the root that counts is the pinned one.
    mixed = token.Chain((chain_of(attacker).leaf, chain_of(office).certificates[-1]))
    with pytest.raises(SignatureError, match="its signature does not hold"):
        token.judge(response, MESSAGE, mixed)
    assert OpenSsl().problem(response, MESSAGE, chain_of(office).pem(), datetime.now(UTC))
    # In its other order the first library cannot read it: the reason is named.
    small = Authority(tmp_path / "small", "First Office")
    embedded = small.reply(request.data, embed=True)
    assert "not in DER order" in refused(embedded, small) or token.judge(
        embedded, MESSAGE, chain_of(small)
    )


def test_single_bit_flips_never_change_what_is_said(office: Authority) -> None:
    request = token.request(MESSAGE, with_certificates=False)
    response = office.reply(request.data)
    honest = token.judge(response, MESSAGE, chain_of(office), nonce=request.nonce)
    accepted = 0
    for place in range(0, len(response) * 8, 13):
        damaged = bytearray(response)
        damaged[place // 8] ^= 1 << place % 8
        try:
            judged = token.judge(bytes(damaged), MESSAGE, chain_of(office), nonce=request.nonce)
        except SignatureError:
            continue
        accepted += 1
        assert judged == honest, place
    # The few that pass are framing outside the signature; the log's digest catches those.
    assert accepted < len(response) * 8 / 13 / 20


@pytest.mark.skipif(not authorities.has_faketime, reason="needs faketime")
def test_back_dated_before_its_certificate_was_valid(office: Authority) -> None:
    request = token.request(MESSAGE, with_certificates=False)
    what = refused(office.reply(request.data, faked="2016-01-02 00:00:00"), office)
    assert what.startswith("says 2016-01-") and "was not valid" in what


@pytest.mark.skipif(not authorities.has_faketime, reason="needs faketime")
def test_expired_certificates_are_judged_at_the_tokens_time(tmp_path: Path) -> None:
    old = Authority(tmp_path / "old", "Old Office", faked="2016-01-01 00:00:00")
    old.issue(days=30, faked="2016-01-01 00:00:00")
    request = token.request(MESSAGE, with_certificates=False)
    response = old.reply(request.data, faked="2016-01-02 00:00:00")
    judged = token.judge(response, MESSAGE, chain_of(old), nonce=request.nonce)
    assert judged.time.year == 2016
    assert OpenSsl().problem(response, MESSAGE, chain_of(old).pem(), judged.time) is None
    late = refused(old.reply(request.data), old)
    assert "was not valid" in late


def test_revocation(tmp_path: Path) -> None:
    one = Authority(tmp_path / "a", "First Office")
    request = token.request(MESSAGE, with_certificates=False)
    response = one.reply(request.data)
    clean = one.revocation_list()
    judged = token.judge(response, MESSAGE, chain_of(one), crls=clean)
    assert judged.revocation.startswith("not revoked by the list of ")
    time.sleep(1.1)  # a list's times are whole seconds
    one.revoke("superseded")
    # Revoked after the token, for a harmless reason: it stays good.
    after = token.judge(response, MESSAGE, chain_of(one), crls=one.revocation_list())
    assert after.time <= judged.time + timedelta(seconds=1)
    other = Authority(tmp_path / "b", "First Office")
    assert "not signed by the issuer" in refused(response, one, crls=other.revocation_list())
    third = Authority(tmp_path / "c", "Third Office")
    stolen = third.reply(request.data)
    third.revoke("keyCompromise")
    assert "was revoked on" in refused(stolen, third, crls=third.revocation_list())


def test_only_a_whole_chain_is_pinned(office: Authority, rogue: Authority) -> None:
    leaf, root = (office.folder / name for name in ("tsa.pem", "ca.pem"))
    found = token.read_chain(root.read_bytes() + leaf.read_bytes())
    assert found == chain_of(office)  # in whatever order
    for pem, what in (
        (b"", "holds no certificates in PEM"),
        (b"garbage", "holds no certificates in PEM"),
        (root.read_bytes(), "holds 0 certificates for time stamping"),
        (leaf.read_bytes(), "its chain is not whole"),
        (leaf.read_bytes() + (rogue.folder / "ca.pem").read_bytes(), "its chain is not whole"),
        (
            office.chain.read_bytes() + (rogue.folder / "ca.pem").read_bytes(),
            "no part of the chain",
        ),
        (office.chain.read_bytes() * 30, "bytes;"),
    ):
        with pytest.raises(MalformedError, match=what):
            token.read_chain(pem)


def test_the_program_of_another_name_is_no_second_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "openssl"
    fake.write_text("#!/bin/sh\necho LibreSSL 3.8.2\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert OpenSsl().version() is None
    fake.unlink()
    assert OpenSsl().version() is None


def test_where_lists_are_is_read_from_the_certificates(tmp_path: Path) -> None:
    one = Authority(tmp_path / "a", "First Office", points="http://127.0.0.1:9/list.crl")
    assert token.list_urls(chain_of(one)) == ("http://127.0.0.1:9/list.crl",)
    pem = one.revocation_list()
    der = x509.load_pem_x509_crl(pem).public_bytes(authorities.DER)
    assert token.list_in_pem(der) == token.list_in_pem(pem) == pem
    with pytest.raises(MalformedError):
        token.list_in_pem(b"<html>")
