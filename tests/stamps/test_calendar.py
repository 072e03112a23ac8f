"""OpenTimestamps: begun, owed, upgraded, and judged only by headers that something vouches for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from muniment.case import verifying
from muniment.case.facade import verify
from muniment.custody import ots
from muniment.custody.judged import StampPins
from muniment.errors import MalformedError, MunimentError
from muniment.model.verify import Check, Status
from muniment.store.layout import CaseFolder
from tests.stamps.calendars import Calendar, Chain, digest
from tests.stamps.conftest import Stamper


def judged(
    path: Path, blocks: dict[int, bytes] | None = None, headers: bytes | None = None
) -> tuple[int, Check]:
    pins = StampPins(frozenset(), blocks or {}, headers)
    verdict = verifying.verify(CaseFolder(path), verifying.pins(None, None), stamps=pins)
    return verdict.exit_code, verdict.check("Bitcoin stamps")


def pin(chain: Chain, number: int = 0) -> dict[int, bytes]:
    return {chain.first + number: digest(chain.headers[number])}


def test_pending_then_upgraded_then_pinned(
    stamper: Stamper, calendar: Calendar, case: CaseFolder
) -> None:
    stamper.add(calendar)
    done = stamper.run()
    assert [str(one.state) for one in done.made] == ["pending"] and done.pending == 1
    code, check = judged(case.path)
    assert code == 0 and check.status is Status.NOT_CHECKED
    assert "pending, proves nothing yet" in check.detail
    assert verify(case.path).check("time stamps").status is Status.NOT_CHECKED
    # Not in a block yet: asked again, nothing written, nothing waits in fault.
    size = verify(case.path).entries
    again = stamper.run()
    assert (again.made, again.waiting, again.pending) == ((), (), 1)
    assert verify(case.path).entries == size
    calendar.mine()
    calendar.chain.bury()
    done = stamper.run(calendar.chain.run(), pin(calendar.chain))
    assert [str(one.state) for one in done.made] == ["upgraded"] and done.made[0].time_utc
    assert stamper.run().made == ()  # owed no more
    # No block of this chain is pinned in the program, and none was given: refused, and said so.
    code, check = judged(case.path)
    assert code == 0 and check.status is Status.NOT_CHECKED
    assert "the headers are refused: they hold no pinned block" in check.detail
    code, check = judged(case.path, pin(calendar.chain))
    assert code == 0 and check.status is Status.PASS, check
    assert "blocks on top" in check.detail and "existed before" in check.detail


def upgraded(stamper: Stamper, calendar: Calendar, headers: bool = True) -> Path:
    stamper.add(calendar)
    stamper.run()
    calendar.mine()
    calendar.chain.bury()
    pins = pin(calendar.chain) if headers else None
    assert stamper.run(calendar.chain.run() if headers else None, pins).made
    return stamper.folder.path


def test_a_reader_brings_the_headers(stamper: Stamper, calendar: Calendar) -> None:
    path = upgraded(stamper, calendar, headers=False)
    code, check = judged(path, pin(calendar.chain))
    assert (
        check.status is Status.NOT_CHECKED and "no header of it was kept or given" in check.detail
    )
    code, check = judged(path, pin(calendar.chain), calendar.chain.run())
    assert (code, check.status) == (0, Status.PASS)
    code, check = judged(path, pin(calendar.chain), calendar.chain.run()[: 80 * 3])
    assert check.status is Status.NOT_CHECKED and "lack the 6 blocks on top" in check.detail


def test_another_chain_at_that_height_is_refused(stamper: Stamper, calendar: Calendar) -> None:
    path = upgraded(stamper, calendar, headers=False)
    other = Chain(calendar.chain.first)
    other.bury(9)
    code, check = judged(path, pin(other), other.run())
    assert (code, check.status) == (21, Status.FAIL)
    assert "does not end in the merkle root of block" in check.findings[0].what


def test_a_pin_that_contradicts_the_kept_headers_fails(
    stamper: Stamper, calendar: Calendar
) -> None:
    path = upgraded(stamper, calendar)
    code, check = judged(path, pin(calendar.chain) | {calendar.chain.first + 1: bytes(32)})
    assert (code, check.status) == (21, Status.FAIL)
    assert "than the pinned one" in check.findings[0].what


def test_altered_proofs_and_headers_are_named(
    stamper: Stamper, calendar: Calendar, tmp_path: Path
) -> None:
    path = upgraded(stamper, calendar)
    stamps = sorted((path / "log" / "stamps").iterdir())
    assert {one.suffix for one in stamps} == {".checkpoint", ".ots", ".headers"}
    for number, file in enumerate(stamps):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(path, copy)
        changed = copy / "log" / "stamps" / file.name
        data = bytearray(changed.read_bytes())
        data[-1] ^= 1
        changed.write_bytes(data)
        verdict = verify(copy)
        assert verdict.exit_code == 21
        assert verdict.check("time stamps").findings[0].piece == f"log/stamps/{file.name}"


@pytest.mark.parametrize("answer", [b"", b"garbage", b"\xff" * 500, bytes(100_000)])
def test_a_calendar_that_misbehaves_is_refused(
    stamper: Stamper, calendar: Calendar, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(calendar, "submit", lambda _: answer)
        with pytest.raises(MunimentError, match=r"sent|refused"):
            stamper.add(calendar)
    stamper.add(calendar)
    monkeypatch.setattr(calendar, "submit", lambda _: answer)
    (line,) = stamper.run().waiting
    assert "stays queued" in line and "\n" not in line


def test_an_answer_does_not_lead_elsewhere(
    stamper: Stamper, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamper.add(calendar)
    own = calendar.url
    calendar.url = "http://elsewhere.example/"
    stamper.run()
    calendar.url = own
    (line,) = stamper.run().waiting
    assert "at an address that is not the authority's" in line


def test_proofs_are_read_strictly() -> None:
    proof, commitment = ots.begin(b"a checkpoint")
    calendar = Calendar(Chain())
    calendar.url = "http://calendar.example/"
    proof.extend(commitment, calendar.submit(commitment))
    data = proof.encode()
    assert ots.read_proof(data, b"a checkpoint").pending() == proof.pending()
    with pytest.raises(MalformedError, match="wrong imprint"):
        ots.read_proof(data, b"another checkpoint")
    for bad in (b"", b"garbage", data[:-1], data + b"\0", bytes(70_000)):
        with pytest.raises(MalformedError):
            ots.read_proof(bad, b"a checkpoint")
    with pytest.raises(MalformedError, match="not asked for"):
        proof.extend(b"x" * 32, calendar.submit(b"x" * 32))
    # Every single-bit flip is refused, or says of the same bytes what nobody vouches for.
    for place in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        try:
            read = ots.read_proof(bytes(damaged), b"a checkpoint")
        except MalformedError:
            continue
        assert not read.blocks()


def test_a_calendar_named_anew_still_owes(stamper: Stamper, calendar: Calendar) -> None:
    stamper.add(calendar)
    stamper.run()
    stamper.add(calendar)
    calendar.mine()
    calendar.chain.bury()
    done = stamper.run(calendar.chain.run(), pin(calendar.chain))
    assert "upgraded" in [str(one.state) for one in done.made]
    code, check = judged(stamper.folder.path, pin(calendar.chain))
    assert (code, check.status) == (0, Status.PASS)
