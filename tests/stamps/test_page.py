"""docs/format.md on stamps: its commands, run exactly as they stand there; and the second verifier."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from muniment.case.facade import verify
from tests.stamps.conftest import StampedTwice
from tests.vectors.test_worked_example import second

PAGE = Path(__file__).parents[2] / "docs" / "format.md"


def commands() -> str:
    section = PAGE.read_text("utf-8").partition("\n## Time stamps\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"^```bash\n(.*?)^```$", section, re.M | re.S)
    return str(block)


def test_the_page_checks_a_stamp_with_sha256sum_and_openssl(
    twice: StampedTwice,
) -> None:
    path = twice.path

    def answer() -> list[str]:
        done = subprocess.run(
            ["bash", "-c", commands()], cwd=path, capture_output=True, text=True, check=False
        )
        return done.stdout.splitlines()

    lines = answer()
    assert sorted(lines[:4]) == [
        f"named by an entry: {part}" for part in ("checkpoint", "pem", "tsq", "tsr")
    ]
    assert lines[4:6] == ["Verification: OK"] * 2
    shown = lines[6].rpartition("=")[2].replace(":", "").lower()
    whole = subprocess.run(
        ["openssl", "x509", "-in", twice.second.folder / "tsa.pem", "-noout", "-fingerprint", "-sha256"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown == whole.stdout.strip().rpartition("=")[2].replace(":", "").lower()
    assert second.verify(second.read_folder(path)) == []
    checkpoint = max((path / "log" / "stamps").glob("*.checkpoint"))
    checkpoint.write_bytes(checkpoint.read_bytes().replace(b"muniment", b"Muniment"))
    assert "Verification: OK" not in answer()[:4]
    problems = second.verify(second.read_folder(path))
    assert second.exit_code(problems) == verify(path).exit_code == 21


def test_both_verifiers_agree_on_damaged_stamps(twice: StampedTwice) -> None:
    path = twice.path
    files = sorted((path / "log" / "stamps").iterdir())
    for file in files:
        data = file.read_bytes()
        for damaged in (data[:-1], b"", data + b"\n", None):
            if damaged is None:
                file.unlink()
            else:
                file.write_bytes(damaged)
            ours = verify(path).exit_code
            assert ours == second.exit_code(second.verify(second.read_folder(path))) == 21
        file.write_bytes(data)
    for name, code in (
        (f"000000000009.{'0' * 12}.tsr", 3),
        ("000000000009.checkpoint", 3),
        ("9.checkpoint", 20),
        (f"000000000009.{'A' * 12}.tsr", 20),
    ):
        extra = path / "log" / "stamps" / name
        extra.write_bytes(b"x")
        ours = verify(path).exit_code
        assert ours == second.exit_code(second.verify(second.read_folder(path))) == code, name
        extra.unlink()
    assert verify(path).exit_code == 0
