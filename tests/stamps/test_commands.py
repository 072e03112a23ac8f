"""`muniment stamp` and `verify` at the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PERSON, RunCommand
from tests.stamps import authorities
from tests.stamps.authorities import Authority
from tests.stamps.calendars import Calendar
from tests.stamps.conftest import StampedTwice, Stamper

WHO = ("--by", PERSON, "--why", "a test")


def test_the_commands(
    stamper: Stamper, first: Authority, calendar: Calendar, muniment: RunCommand, tmp_path: Path
) -> None:
    case = ("--case", str(stamper.folder.path))
    nobody = muniment("stamp", "run", *case)
    assert nobody.returncode == 2 and "no authority is named" in nobody.stderr
    both = muniment("stamp", "add", first.url, "--organisation", "First Office", *WHO, *case)
    assert both.returncode == 2 and "Give --certificate PEM, or --calendar" in both.stderr
    added = muniment(
        "stamp", "add", first.url, "--organisation", "First Office", "--certificate",
        first.chain, *WHO, *case,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    assert "it answered and verifies (rfc3161-client " in added.stdout
    assert "name at least one more" in added.stdout
    owes = muniment(
        "stamp", "add", calendar.url, "--organisation", "A Calendar", "--calendar", *WHO, *case
    )
    assert owes.returncode == 0, owes.stderr
    ran = muniment("stamp", "run", *case)
    assert ran.returncode == 0, ran.stderr
    assert "existed before" in ran.stdout and "pending, proves nothing yet" in ran.stdout
    calendar.mine()
    calendar.chain.bury()
    headers = tmp_path / "headers"
    headers.write_bytes(calendar.chain.run())
    given = ("--bitcoin-headers", str(headers), "--bitcoin-block", calendar.chain.pin())
    again = json.loads(muniment("stamp", "run", *given, *case, "--json").stdout)
    assert [one["state"] for one in again["made"]] == ["upgraded"]
    listed = muniment("stamp", "list", *case)
    assert listed.returncode == 0 and "2 organisations" in listed.stdout
    verified = muniment(
        "verify", *case, "--authority", first.chain, "--bitcoin-block", calendar.chain.pin()
    )
    assert verified.returncode == 0, verified.stdout
    for line in (
        "time stamps:",
        "time stamps by openssl:",
        "Bitcoin stamps:",
        "authorities pinned:",
    ):
        assert f"pass         {line}" in verified.stdout, line
    assert "stamp        the first" in verified.stdout
    dropped = muniment("stamp", "drop", calendar.url, *WHO, *case)
    assert dropped.returncode == 0 and "what it stamped stays" in dropped.stdout
    assert muniment("stamp", "drop", calendar.url, *WHO, *case).returncode == 2
    log = muniment("log", *case).stdout
    assert "authority.pinned" in log and "checkpoint.stamped" in log


def test_bad_options_are_one_line(
    stamped_once: StampedTwice, muniment: RunCommand, tmp_path: Path
) -> None:
    (tmp_path / "bad.pem").write_text("nothing\n")
    case = str(stamped_once.path)
    for words, code, what in (
        (("--authority", "bad.pem"), 2, "holds no certificate in PEM"),
        (("--authority", "none.pem"), 2, "cannot be read"),
        (("--bitcoin-block", "7"), 2, "is no HEIGHT:HASH"),
        (("--bitcoin-headers", "none"), 2, "cannot be read"),
    ):
        done = muniment("verify", case, *words)
        assert done.returncode == code and what in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not authorities.has_faketime, reason="needs faketime")
def test_the_verdict_is_the_same_in_forty_years(stamped_once: StampedTwice) -> None:
    program = Path(sys.executable).parent / "muniment"
    words = [program, "verify", stamped_once.path, "--json"]
    words += ["--authority", stamped_once.first.chain, "--authority", stamped_once.second.chain]
    verdicts = [
        subprocess.run(
            [*before, *map(os.fspath, words)], capture_output=True, text=True, check=False
        )
        for before in ((), ("faketime", "2066-11-23 00:00:00"))
    ]
    assert [one.returncode for one in verdicts] == [0, 0], verdicts[1].stdout
    assert verdicts[0].stdout == verdicts[1].stdout
