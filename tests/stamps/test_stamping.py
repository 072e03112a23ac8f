"""A case stamped by two authorities and a calendar, offline and on again; and what is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from muniment.case import reporting, verifying
from muniment.case.facade import verify
from muniment.custody import token
from muniment.custody.judged import StampPins
from muniment.errors import InputError, MalformedError, SignatureError, UsageError
from muniment.model.verify import Status, Verdict
from muniment.report.summary import window
from muniment.store.layout import CaseFolder
from tests.conftest import BuildCase
from tests.stamps import authorities
from tests.stamps.authorities import Authority
from tests.stamps.conftest import StampedTwice, Stamper


def statuses(verdict: Verdict) -> dict[str, str]:
    return {check.name: str(check.status) for check in verdict.checks}


def test_two_authorities_stamp_and_verify(
    stamper: Stamper, first: Authority, second: Authority, case: CaseFolder
) -> None:
    before = verify(case.path).check("time stamps")
    assert before.status is Status.NOT_CHECKED
    assert stamper.add(first).organisations == 1
    assert stamper.add(second).organisations == 2
    done = stamper.run()
    assert {one.organisation for one in done.made} == {"First Office", "Second Office"}
    assert not done.waiting
    verdict = verify(case.path)
    assert verdict.exit_code == 0, verdict
    found = statuses(verdict)
    assert found["time stamps"] == found["time stamps by openssl"] == "pass"
    assert found["authorities pinned"] == "not checked"
    assert "2 tokens of 2 organisations" in verdict.check("time stamps").detail
    assert [one.status for one in verdict.stamps] == [Status.PASS] * 2
    assert all(one.before_utc and one.covers == done.made[0].covers for one in verdict.stamps)
    # Nothing but the stamps' own records since: nobody is asked again.
    asked = first.asked
    assert stamper.run().made == ()
    assert first.asked == asked


def test_offline_nothing_is_lost_and_later_all_is_stamped(
    stamper: Stamper, build_case: BuildCase, tmp_path: Path, case: CaseFolder
) -> None:
    one = Authority(tmp_path / "tsa", "First Office")
    with authorities.running(one):
        stamper.add(one)
    # Its server has gone. Work goes on, and says what waits.
    more = tmp_path / "more"
    more.mkdir()
    (more / "later.txt").write_text("A second delivery.\n")
    built = build_case(more)
    assert built.is_whole
    assert built.stamped is not None and not built.stamped.made
    assert "cannot be reached" in built.stamped.waiting[0]
    assert "stays queued" in built.stamped.waiting[0]
    assert verify(case.path).exit_code == 0
    assert verify(case.path).check("time stamps").status is Status.NOT_CHECKED
    with authorities.running(one):
        pinned_again = stamper.add(one)  # at its new address
        assert pinned_again.organisations == 1
        (more / "third.txt").write_text("A third.\n")
        built = build_case(more)
    assert built.stamped is not None
    assert [made.organisation for made in built.stamped.made] == ["First Office"]
    assert verify(case.path).exit_code == 0
    assert built.checkpoint.partition(":")[0] == str(verify(case.path).entries)


def test_one_late_authority_does_not_hold_up_the_other(
    stamper: Stamper, first: Authority, second: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamper.add(first)
    stamper.add(second)
    monkeypatch.setattr("muniment.case.pinning.PATIENT_S", 0.5)
    first.behave = authorities.late(8)
    done = stamper.run()
    assert [one.organisation for one in done.made] == ["Second Office"]
    (line,) = done.waiting
    assert line.startswith("First Office (") and "gave no answer within" in line
    first.behave = None
    # Only who is behind is asked again.
    asked = second.asked
    assert [one.organisation for one in stamper.run().made] == ["First Office"]
    assert second.asked == asked
    assert verify(stamper.folder.path).exit_code == 0


def test_an_authority_that_misbehaves_is_one_line(stamper: Stamper, first: Authority) -> None:
    stamper.add(first)
    for answer, why in (
        ((200, b"garbage"), "is no time-stamp response"),
        ((200, b""), "is no time-stamp response"),
        ((500, b"sorry"), "answered with HTTP status 500"),
        ((302, b""), "answered with HTTP status 302"),
        ((200, bytes(3_000_000)), "sent more than"),
    ):
        first.behave = lambda _, answer=answer: answer  # type: ignore[misc]
        (line,) = stamper.run().waiting
        assert why in line and "\n" not in line and len(line) < 400
    first.behave = None
    assert len(stamper.run().made) == 1
    assert verify(stamper.folder.path).exit_code == 0


def test_answers_for_others_are_refused(stamper: Stamper, first: Authority, tmp_path: Path) -> None:
    stamper.add(first)
    other = token.request(b"other bytes", with_certificates=False)
    kept = first.reply(other.data)
    first.behave = lambda _: (200, kept)
    assert "wrong imprint" in stamper.run().waiting[0]
    rogue = Authority(tmp_path / "rogue", "First Office")
    first.behave = lambda body: (200, rogue.reply(body))
    assert "another certificate than the one pinned" in stamper.run().waiting[0]
    first.behave = None
    assert stamper.run().made


@pytest.mark.skipif(not authorities.has_faketime, reason="needs faketime")
def test_back_dated_answers_are_refused(stamper: Stamper, tmp_path: Path) -> None:
    one = Authority(tmp_path / "tsa", "First Office", faked="2016-01-01 00:00:00")
    one.issue(days=8000, faked="2016-01-01 00:00:00")
    with authorities.running(one):
        stamper.add(one)
        # Within the certificate's years, but long before the entries it would cover.
        one.behave = lambda body: (200, one.reply(body, faked="2016-06-01 00:00:00"))
        assert "is back-dated, or a clock was wrong: it says 2016-06-01" in stamper.run().waiting[0]
        one.behave = lambda body: (200, one.reply(body, faked="2030-06-01 00:00:00"))
        assert (
            "is dated ahead, or a clock was wrong: it says 2030-06-01" in stamper.run().waiting[0]
        )


def test_an_authority_is_probed_and_refused(
    stamper: Stamper, first: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other", "Other Office")
    own, first.chain = first.chain, other.chain
    size = verify(stamper.folder.path).entries
    with pytest.raises(SignatureError, match="another certificate than the one pinned"):
        stamper.add(first)
    first.chain = first.folder / "ca.pem"
    with pytest.raises(MalformedError, match="0 certificates for time stamping"):
        stamper.add(first)
    first.chain, first.url = own, "ftp://example.org/"
    with pytest.raises(UsageError, match="no http or https address"):
        stamper.add(first)
    first.url = "http://127.0.0.1:9/"
    with pytest.raises(InputError, match="cannot be reached"):
        stamper.add(first)
    assert verify(stamper.folder.path).entries == size  # nothing was written


def the(path: Path, ending: str) -> Path:
    return min((path / "log" / "stamps").glob(f"*{ending}"))


def test_altered_missing_and_added_files_are_named(
    twice: StampedTwice,
) -> None:
    path = twice.path
    for ending in (".checkpoint", ".tsq", ".tsr", ".pem"):
        file = the(path, ending)
        whole = file.read_bytes()
        data = bytearray(whole)
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        verdict = verify(path)
        assert verdict.exit_code == 21
        (finding,) = verdict.check("time stamps").findings
        assert finding.piece == f"log/stamps/{file.name}" and "is not the file" in finding.what
        file.unlink()
        assert "is missing" in verify(path).check("time stamps").findings[0].what
        file.write_bytes(whole)
    extra = path / "log" / "stamps" / f"000000000003.{'ab' * 6}.tsr"
    extra.write_bytes(b"x")
    verdict = verify(path)
    assert verdict.exit_code == 3
    assert verdict.check("sealed to the end").findings[0].piece == f"log/stamps/{extra.name}"
    # The next run moves it aside and says so.
    done = Stamper(CaseFolder(path)).run()
    assert extra.name in done.notices[0] and not extra.exists()
    assert verify(path).exit_code == 0
    (path / "log" / "stamps" / "odd.txt").write_text("x")
    assert verify(path).exit_code == 20


def test_the_reader_pins_the_authorities(stamped_once: StampedTwice, tmp_path: Path) -> None:
    path, first, second = stamped_once.path, stamped_once.first, stamped_once.second
    none = Authority(tmp_path / "none", "First Office")

    def judged(*ones: Authority) -> Verdict:
        pems = [(one.name, (one.folder / "ca.pem").read_bytes()) for one in ones]
        pins = StampPins(verifying.authority_pins(pems))
        return verifying.verify(CaseFolder(path), verifying.pins(None, None), stamps=pins)

    assert judged(first, second).check("authorities pinned").status is Status.PASS
    half = judged(first).check("authorities pinned")
    assert half.status is Status.PASS and "Second Office" in half.findings[0].what
    wrong = judged(none)
    assert wrong.exit_code == 21
    assert "none of the authorities given" in wrong.check("authorities pinned").findings[0].what


def test_without_openssl_the_cross_check_says_so(
    stamped_once: StampedTwice,
    stamper: Stamper,
    first: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("muniment.case.openssl.shutil.which", lambda _: None)
    verdict = verify(stamped_once.path)
    check = verdict.check("time stamps by openssl")
    assert check.status is Status.NOT_CHECKED and "openssl is not on this machine" in check.detail
    assert verdict.exit_code == 0
    # Nor does stamping need it; the entry says that one program alone has judged.
    assert "not checked" in stamper.add(first).notices[0]


def test_both_programs_must_agree(
    stamped_once: StampedTwice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "muniment.case.openssl.OpenSsl.problem", lambda *_: "certificate has expired"
    )
    verdict = verify(stamped_once.path)
    assert verdict.exit_code == 21
    assert "both programs must agree" in verdict.check("time stamps by openssl").findings[0].what
    assert verdict.stamps[0].status is Status.FAIL and verdict.stamps[0].before_utc is not None


def test_the_report_says_the_window_since_the_anchor(
    stamper: Stamper, first: Authority, build_case: BuildCase, tmp_path: Path, case: CaseFolder
) -> None:
    assert reporting.facts(case).custody.outside_anchor is None
    stamper.add(first)
    assert "queued for First Office" in reporting.facts(case).custody.queued[0]
    stamper.run()
    facts = reporting.facts(case)
    assert facts.custody.outside_anchor is not None
    assert "First Office" in facts.custody.outside_anchor
    assert window(facts)[0] == "none"
    first.behave = lambda _: (500, b"")
    more = tmp_path / "more"
    more.mkdir()
    (more / "later.txt").write_text("A second delivery.\n")
    build_case(more, report=True)
    facts = reporting.facts(case)
    length, why = window(facts)
    assert length not in ("none", "cannot tell") and "later entries could have been" in why
    assert facts.custody.queued
    page = (case.report / "index.html").read_text("utf-8")
    assert "time stamp of" in page and "queued for First Office" in page


@pytest.mark.skipif(not authorities.has_faketime, reason="needs faketime")
def test_a_stamp_earlier_than_one_it_covers_is_refused(
    stamper: Stamper, first: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamper.add(first)
    stamper.run()
    second = Authority(tmp_path / "second", "Second Office", faked="10 days ago")
    with authorities.running(second):
        stamper.add(second)
        second.behave = lambda body: (200, second.reply(body, faked="2 hours ago"))
        assert "covers the stamp of First Office, which says" in stamper.run().waiting[0]
        # One that was recorded all the same fails at verify, with the reason.
        monkeypatch.setattr("muniment.case.authorities.refuse_earlier", lambda *_: None)
        assert stamper.run().made
    verdict = verify(stamper.folder.path)
    assert verdict.exit_code == 21
    assert "is back-dated, or the other" in verdict.check("time stamps").findings[0].what


def test_revocation_lists_are_kept_and_judged(stamper: Stamper, tmp_path: Path) -> None:
    one = Authority.__new__(Authority)
    with authorities.running(one):
        url = one.url
        one.__init__(tmp_path / "tsa", "First Office", points=f"{url}list.crl")  # type: ignore[misc]
        one.url = url
        stamper.add(one)
        assert stamper.run().made
        path = stamper.folder.path
        kept = the(path, ".crl").read_bytes()
        assert kept.startswith(b"-----BEGIN X509 CRL-----")
        assert "not revoked by the list of" in verify(path).stamps[0].detail
        time.sleep(1.1)  # a list's times are whole seconds
        one.revoke("keyCompromise")
        with pytest.raises(SignatureError, match="was revoked on"):
            stamper.add(one)
    # What was stamped before, with the list of then, stands until somebody brings a newer list.
    assert verify(path).exit_code == 0
