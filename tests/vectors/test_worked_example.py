"""docs/format.md against two verifiers: its worked example, built, verified, damaged; a real case.

`python tests/vectors/test_worked_example.py` writes the example's bytes and the answers of its
commands into the page anew, after the inputs on the page were changed.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import muniment
from muniment.custody.verify import verify as first_core
from muniment.model.entries import KINDS, Role

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "format.md"
ENTRIES, PRIVATE = "log/entries/000000.jsonl", "log/private/000000.jsonl"
CHECKPOINT = "log/checkpoint"
NEEDED = ("bash", "jq", "openssl", "sha256sum", "od", "base64")

Files = dict[str, bytes]


def load_second_verifier() -> Any:
    """The second verifier as a module, whatever the import path."""
    path = Path(__file__).with_name("second_verifier.py")
    spec = importlib.util.spec_from_file_location("second_verifier", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


second = load_second_verifier()


# ---------------------------------------------------------------- the page


def page_blocks(page: str, word: str) -> Files:
    """name -> bytes of every block that a line "WORD `NAME`:" precedes."""
    found = re.findall(rf"^{word} `([^`]+)`:\n\n```\w*\n(.*?)^```$", page, re.M | re.S)
    return {name: text.encode() for name, text in found}


def page_inputs(page: str) -> dict[str, Any]:
    """What the page states for the worked example."""
    text = page.split("Inputs of the example:\n\n```json\n")[1].split("\n```\n")[0]
    inputs: dict[str, Any] = json.loads(text)
    return inputs


def console_blocks(page: str) -> list[list[tuple[str, str]]]:
    """(command as shown, answer) pairs of every console block; `> ` goes on with a command."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.M | re.S)
    pattern = r"^(\$ .*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)"
    return [re.findall(pattern, block, re.M) for block in blocks]


def write_files(files: Files, folder: Path) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def answer(shown: str, folder: Path) -> str:
    command = re.sub(r"^[$>] ", "", shown, flags=re.M)
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text("utf-8")


@pytest.fixture(scope="module")
def example(page: str) -> Files:
    return page_blocks(page, "File")


# ---------------------------------------------------------------- two verifiers, one question


class FilesReader:
    """The first verifier's `Reader`, over names and bytes."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def names(self) -> Iterator[tuple[str, bool]]:
        for name in sorted(self._files):
            if not re.fullmatch(r"objects/sha256/[0-9a-f]{2}/[0-9a-f]{62}", name):
                yield name, True

    def read(self, name: str) -> bytes | None:
        return self._files.get(name)

    def objects(self) -> Iterator[tuple[str, tuple[bytes]]]:
        for name, data in sorted(self._files.items()):
            if re.fullmatch(r"objects/sha256/[0-9a-f]{2}/[0-9a-f]{62}", name):
                yield name[15:].replace("/", ""), (data,)


def verdicts(files: Files) -> tuple[int, int]:
    """Exit code of the first verifier and of the second."""
    return first_core(FilesReader(files)).exit_code, second.exit_code(second.verify(files))


def assert_refused(files: Files, what: str) -> None:
    one, other = verdicts(files)
    assert one == other != 0, f"{what}: first says {one}, second says {other}"


# ---------------------------------------------------------------- (a) and (b)


def test_the_page_states_every_byte(page: str, example: Files) -> None:
    built = second.build(page_inputs(page))
    assert sorted(built) == sorted(example)
    for name, data in built.items():
        assert example[name] == data, name


def test_the_example_has_what_it_promises(example: Files) -> None:
    lines = [json.loads(line) for line in example[ENTRIES].splitlines()]
    assert [line["kind"] for line in lines] == [
        "case.opened",
        "key.certified",
        "acquisition.started",
        "item.acquired",
        "item.acquired",
        "acquisition.finished",
        "object.erased",
    ]
    private = [json.loads(line) for line in example[PRIVATE].splitlines()]
    assert [field for field, pair in private[4].items() if pair] == ["acquisition", "outcome"]
    assert len([name for name in example if name.startswith("objects/")]) == 2
    assert b"It is noon.\n" in example.values()


def test_both_verifiers_accept_the_example(example: Files, tmp_path: Path) -> None:
    assert second.verify(example) == []
    verdict = muniment.verify(write_files(example, tmp_path / "case"))
    assert verdict.exit_code == 0
    statuses = {check.name: str(check.status) for check in verdict.checks}
    for name in ("root pinned", "since", "projection", "time stamps"):
        assert statuses.pop(name) == "not checked"
    assert set(statuses.values()) == {"pass"}
    assert {*statuses, "time stamps", "witnesses"} == set(second.EXIT_CODES)


def test_the_pins_on_the_page_hold(page: str, example: Files, tmp_path: Path) -> None:
    pins = re.search(r"^root {8}([0-9a-f]{64})\ncheckpoint  (7:[0-9a-f]{64})$", page, re.M)
    assert pins
    case = write_files(example, tmp_path / "case")
    assert muniment.verify(case, root=pins[1], since=pins[2]).exit_code == 0
    assert muniment.verify(case, root="00" * 32).exit_code == 21
    assert muniment.verify(case, since=pins[2][:-1] + "0").exit_code == 20


def test_the_proof_on_the_page_holds(page: str, example: Files) -> None:
    ((name, proof),) = page_blocks(page, "Proof").items()
    assert name == "entry-3.tlog-proof"
    assert second.build_proof(example, 3) == proof
    line = example[ENTRIES].split(b"\n")[3]
    check = second.Verification(example)
    check.run()
    agents = [key for _, key in check.agents.values()]
    assert second.verify_proof(proof, line, agents) == []
    assert second.verify_proof(proof, line + b" ", agents)
    assert second.verify_proof(proof, line, [])

    from muniment.custody import proof as proofs
    from muniment.custody.keys import PublicKey

    keys = [PublicKey(**{**key, "role": Role.AGENT}) for key in agents]
    proofs.check(proofs.parse(proof), line, keys)


def test_the_second_verifier_reads_the_tables_of_the_page() -> None:
    assert set(second.KINDS) == set(KINDS)
    for name, kind in KINDS.items():
        read = second.KINDS[name]
        assert read["roles"] == {str(role) for role in kind.roles}
        assert read["fields"] == sorted(field.name for field in kind.fields)
        assert read["objects"] == [field.name for field in kind.fields if field.is_object]


def test_the_second_verifier_imports_nothing_of_ours() -> None:
    source = Path(second.__file__).read_text("utf-8")
    assert not re.search(r"^\s*(import|from) muniment", source, re.M)


@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason="needs jq and openssl")
def test_the_commands_on_the_page_answer_as_shown(
    page: str, example: Files, tmp_path: Path
) -> None:
    case = write_files(example, tmp_path)
    blocks = console_blocks(page)
    assert blocks
    for block in blocks:
        for command, shown in block:
            assert answer(command, case) == shown, command


# ---------------------------------------------------------------- (c) damage


def flipped(data: bytes, position: int, bit: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


@pytest.mark.parametrize(
    "name, step",
    [
        ("root.json", 1),
        (CHECKPOINT, 1),
        (ENTRIES, 11),
        (PRIVATE, 11),
        pytest.param(ENTRIES, 1, marks=pytest.mark.slow),
        pytest.param(PRIVATE, 1, marks=pytest.mark.slow),
    ],
)
def test_no_byte_can_be_flipped(example: Files, name: str, step: int) -> None:
    """One bit, in turn, of every byte or every eleventh."""
    data = example[name]
    for position in range(0, len(data), step):
        damaged = example | {name: flipped(data, position, position % 8)}
        assert_refused(damaged, f"{name}, byte {position}")


@pytest.mark.slow
def test_every_bit_of_the_checkpoint_counts(example: Files) -> None:
    data = example[CHECKPOINT]
    for position in range(len(data)):
        for bit in range(8):
            damaged = example | {CHECKPOINT: flipped(data, position, bit)}
            assert_refused(damaged, f"byte {position} bit {bit}")


def test_objects_cannot_be_changed(example: Files) -> None:
    for name in [name for name in example if name.startswith("objects/")]:
        for position in range(len(example[name])):
            damaged = example | {name: flipped(example[name], position, position % 8)}
            assert_refused(damaged, f"{name}, byte {position}")
        assert_refused(example | {name: b""}, f"{name} emptied")


def test_flips_on_disk_are_refused_by_the_whole_program(example: Files, tmp_path: Path) -> None:
    case = write_files(example, tmp_path / "case")
    for name, data in example.items():
        for position in range(0, len(data), max(1, len(data) // 12)):
            (case / name).write_bytes(flipped(data, position, position % 7))
            assert muniment.verify(case).exit_code in (20, 21), (name, position)
        (case / name).write_bytes(data)
    assert muniment.verify(case).exit_code == 0


def with_lines(files: Files, name: str, lines: list[bytes]) -> Files:
    return files | {name: b"".join(line + b"\n" for line in lines)}


@pytest.mark.parametrize("names", [(ENTRIES,), (PRIVATE,), (ENTRIES, PRIVATE)])
def test_lines_cannot_be_swapped_dropped_or_doubled(example: Files, names: tuple[str, ...]) -> None:
    number = len(example[ENTRIES].splitlines())
    for first in range(number):
        for second_ in range(number):
            damaged = example
            for name in names:
                lines = example[name].splitlines()
                if first == second_:
                    del lines[first]
                else:
                    lines[first], lines[second_] = lines[second_], lines[first]
                damaged = with_lines(damaged, name, lines)
            assert_refused(damaged, f"{names}: {first} and {second_}")
        doubled = example
        for name in names:
            lines = example[name].splitlines()
            doubled = with_lines(doubled, name, [*lines[: first + 1], *lines[first:]])
        assert_refused(doubled, f"{names}: {first} doubled")


def test_files_cannot_be_dropped_added_or_cut(example: Files) -> None:
    for name, data in example.items():
        without = {other: bytes_ for other, bytes_ in example.items() if other != name}
        assert_refused(without, f"{name} dropped")
        for length in (0, 1, len(data) // 2, len(data) - 1):
            assert_refused(example | {name: data[:length]}, f"{name} cut to {length}")
        assert_refused(example | {name: data + b"x"}, f"{name} with a byte more")
        assert_refused(example | {name: data + b"\n"}, f"{name} with a newline more")
    for name in ("note.txt", "log/note", "log/checkpoints/x", "objects/sha256/ab", "root.json~"):
        assert_refused(example | {name: b"x"}, f"{name} added")
    extra = second.sha256(b"planted")
    planted = {f"objects/sha256/{extra[:2]}/{extra[2:]}": b"planted"}
    assert verdicts(example | planted) == (3, 3)
    erased = json.loads(example[PRIVATE].splitlines()[6])["objects"][1][0]
    back = {f"objects/sha256/{erased[:2]}/{erased[2:]}": b"Please forget me.\n"}
    assert verdicts(example | back) == (3, 3), "the erased object is back: to be destroyed again"


def test_an_erased_value_cannot_come_back_or_another_go(example: Files, page: str) -> None:
    inputs = page_inputs(page)
    del inputs["entries"][6]
    lines = second.build(inputs)[PRIVATE].splitlines()
    now = example[PRIVATE].splitlines()
    back = with_lines(example, PRIVATE, [*now[:4], lines[4], *now[5:]])
    assert verdicts(back) == (3, 3), "value back: to be blanked again"
    blank = b"{" + b",".join(b'"%s":null' % field for field in sorted_fields(now[3])) + b"}"
    assert_refused(with_lines(example, PRIVATE, [*now[:3], blank, *now[4:]]), "value gone")


def sorted_fields(line: bytes) -> list[bytes]:
    return [field.encode() for field in sorted(json.loads(line))]


# ---------------------------------------------------------------- forgeries


def key_named(name: str) -> tuple[Any, str, dict[str, Any]]:
    """A key made of a name: the private key, its id, its private fields of key.certified."""
    key = second.Ed25519PrivateKey.from_private_bytes(name.ljust(32, ".").encode())
    public = key.public_key().public_bytes_raw()
    identity = second.sha256(public)[:32]
    fields = {"key": identity, "role": "agent", "name": name, "ed25519": public.hex()}
    return key, identity, fields | {"mldsa44": None}


def person_and_agent(files: Files) -> tuple[str, str]:
    """Key ids of the example's two authors."""
    lines = [json.loads(line) for line in files[ENTRIES].splitlines()]
    return lines[0]["author"], lines[2]["author"]


def seed(page: str, role: str) -> Any:
    """The published private key of the example's person or agent."""
    inputs = page_inputs(page)
    return second.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(inputs[role]["ed25519_seed"]))


def appended(
    files: Files, kind: str, author: str, values: dict[str, Any], sign: Any = None
) -> Files:
    """The case with one more entry. `sign`: a private key; a string, which becomes `sig`; or None:
    anybody who may write to the disk can append the last two."""
    lines = files[ENTRIES].splitlines()
    own = [line for line in lines if json.loads(line)["author"] == author]
    pairs = {field: ["ab" * 16, value] for field, value in values.items()}
    entry = {
        "_sd": {field: second.sha256(second.encode(pair)) for field, pair in pairs.items()},
        "at": "2026-05-03T00:00:00.000Z",
        "author": author,
        "case": json.loads(lines[0])["case"],
        "kind": kind,
        "prev": second.leaf_hash(own[-1]).hex() if own else None,
        "sig": sign if isinstance(sign, str) else None,
        "v": 1,
    }
    if sign is not None and not isinstance(sign, str):
        entry["sig"] = sign.sign(second.signed_message(entry)).hex()
    private = [*files[PRIVATE].splitlines(), second.encode(pairs)]
    longer = with_lines(files, ENTRIES, [*lines, second.encode(entry)])
    return with_lines(longer, PRIVATE, private)


def note(files: Files, key: Any, size: int | None = None) -> bytes:
    """A checkpoint over the first `size` entries."""
    lines = files[ENTRIES].splitlines()
    case = json.loads(lines[0])["case"]
    public = key.public_key().public_bytes_raw()
    made: bytes = second._note(case, lines[:size], key, public)
    return made


def sealed(files: Files, key: Any) -> Files:
    return files | {CHECKPOINT: note(files, key)}


def viewed(by: str) -> dict[str, Any]:
    return {"object": None, "by": by, "purpose": "to look"}


def checks_of(files: Files) -> dict[str, int]:
    """Names and exit codes of the checks that ask for one; both verifiers must name the same."""
    verdict = first_core(FilesReader(files))
    ours = {check.name: check.exit_code for check in verdict.checks if check.exit_code}
    theirs = {problem.partition(": ")[0] for problem in second.verify(files)}
    # A case that was never sealed: ours says so under the names of the checks it could not make.
    theirs = {name for name in theirs if name != "sealed to the end"} | (
        {name for name, code in ours.items() if code == 3}
        if "sealed to the end" in theirs
        else set()
    )
    assert set(ours) == theirs
    return ours


def test_planted_entries_in_the_tail_are_named_and_count_for_nothing(
    example: Files, page: str
) -> None:
    person, agent = person_and_agent(example)
    _, stranger, fields = key_named("a stranger")
    forged = "00" * 64
    planted = [
        ("object.viewed", agent, viewed("nobody"), None),
        ("object.viewed", person, viewed("nobody"), forged),
        ("object.viewed", person, viewed("nobody"), seed(page, "person")),
        ("object.viewed", stranger, viewed("nobody"), None),
        ("key.certified", person, fields, forged),
        ("key.certified", person, fields, seed(page, "person")),
        ("case.opened", person, dict.fromkeys(second.KINDS["case.opened"]["fields"]), forged),
        ("object.erased", person, erasing(example, [3], []), forged),
    ]
    longer = example
    for kind, author, values, sign in planted:
        one = appended(example, kind, author, values, sign)
        longer = appended(longer, kind, author, values, sign)
        assert checks_of(one) == {"sealed to the end": 3}, (kind, author)
    assert checks_of(longer) == {"sealed to the end": 3}
    for torn in (b"x", b"{}\n", b"\xff\xfe\n" * 3):
        for name in (ENTRIES, PRIVATE):
            assert checks_of(example | {name: example[name] + torn}) == {"sealed to the end": 3}


def erasing(files: Files, indexes: list[int], objects: list[str]) -> dict[str, Any]:
    """The private values of an object.erased."""
    lines = files[ENTRIES].splitlines()
    named = [
        [
            index,
            second.leaf_hash(lines[index]).hex(),
            [field for field in json.loads(lines[index])["_sd"] if field != "outcome"],
        ]
        for index in indexes
    ]
    return {"entries": named, "objects": objects, "why": "x", "by": "x", "out_of_reach": "x"}


def blanked(files: Files, index: int, fields: list[str]) -> Files:
    lines = files[PRIVATE].splitlines()
    lines[index] = second.encode(json.loads(lines[index]) | dict.fromkeys(fields))
    return with_lines(files, PRIVATE, lines)


def without_erasure(page: str) -> Files:
    """The example before its erasure: six entries, all values and objects there."""
    inputs = page_inputs(page)
    del inputs["entries"][6]
    files: Files = second.build(inputs)
    assert verdicts(files) == (0, 0)
    return files


def scrap(files: Files) -> str:
    """Name of the file that holds the scrap."""
    return next(name for name, data in files.items() if data == b"Please forget me.\n")


@pytest.mark.parametrize("in_tail", [True, False])
def test_an_unsigned_erasure_erases_nothing(page: str, in_tail: bool) -> None:
    """Neither beyond the checkpoint nor, should the agent's key seal it, below."""
    files = without_erasure(page)
    person, agent = person_and_agent(files)
    name = scrap(files)
    digest = name[15:].replace("/", "")
    values = erasing(files, [4], [digest])
    for author, sign in ((person, "00" * 64), (person, None), (agent, None)):
        forged = appended(files, "object.erased", author, values, sign)
        if not in_tail:
            forged = sealed(forged, seed(page, "agent"))
        forged = blanked(forged, 4, ["name", "object"])
        del forged[name]
        checks = checks_of(forged)
        assert checks["erasures"] == 20
        assert ("signatures" in checks) is not in_tail
        # The object is named by an entry again as soon as the value is not blank.
        kept = appended(files, "object.erased", author, values, sign)
        del kept[name]
        assert checks_of(kept)["objects"] == 20


def test_an_erasure_in_the_tail_erases_nothing_even_when_signed(page: str) -> None:
    files = without_erasure(page)
    person, _ = person_and_agent(files)
    signed = appended(files, "object.erased", person, erasing(files, [4], []), seed(page, "person"))
    assert checks_of(signed) == {"sealed to the end": 3}
    assert checks_of(blanked(signed, 4, ["name"]))["erasures"] == 20
    both = sealed(signed, seed(page, "agent"))
    assert checks_of(both) == {"sealed to the end": 3}, "sealed, signed, not carried out"
    assert checks_of(blanked(both, 4, ["name", "object"])) == {"sealed to the end": 3}


def test_an_erasure_is_bound_to_the_entry_and_its_place(page: str, example: Files) -> None:
    files = without_erasure(page)
    person, _ = person_and_agent(files)
    right = erasing(files, [4], [])
    fields = right["entries"][0][2]
    leaf = right["entries"][0][1]
    other = erasing(files, [3], [])["entries"][0][1]

    def carried_out(entries: Any) -> dict[str, int]:
        signed = appended(
            files, "object.erased", person, right | {"entries": entries}, seed(page, "person")
        )
        return checks_of(blanked(sealed(signed, seed(page, "agent")), 4, fields))

    # The scrap's object is still there, and no entry names it any more.
    assert carried_out([[4, leaf, fields]]) == {"sealed to the end": 3}
    assert carried_out([[4, other, fields]])["erasures"] == 20
    assert carried_out([[3, leaf, fields]])["erasures"] == 20
    assert carried_out([[4, leaf, fields[1:]]])["erasures"] == 20
    for malformed in (
        [[4, fields]],
        [[6, leaf, fields]],
        [[-1, leaf, fields]],
        [["4", leaf, fields]],
        [[4, None, fields]],
        [[4, leaf, "name"]],
        [[4, leaf, [1]]],
        {"4": fields},
        None,
    ):
        assert carried_out(malformed)["entries"] == 20, malformed


def test_what_the_rest_is_checked_against_is_never_blank(page: str, example: Files) -> None:
    person, agent = person_and_agent(example)
    recovered = {"from_index": 7, "moved": [], "reason": "x"}
    files = appended(example, "log.recovered", agent, recovered)
    for index, field in ((0, "title"), (1, "name"), (6, "why"), (7, "reason")):
        leaf = second.leaf_hash(files[ENTRIES].splitlines()[index]).hex()
        values = erasing(files, [], []) | {"entries": [[index, leaf, [field]]]}
        signed = appended(files, "object.erased", person, values, seed(page, "person"))
        whole = sealed(signed, seed(page, "agent"))
        assert checks_of(blanked(whole, index, [field]))["erasures"] == 20, index


@pytest.mark.parametrize("below", [False, True])
def test_an_unsigned_certification_certifies_nobody(page: str, below: bool) -> None:
    """Machine entries carry no signature: whoever could certify a key, and sign the checkpoint with
    it, could rewrite them all without holding any key of the case."""
    inputs = page_inputs(page)
    del inputs["entries"][6]
    inputs["entries"][3]["values"]["name"]["path"] = "forged.txt"
    files = second.build(inputs)
    person, _ = person_and_agent(files)
    key, identity, fields = key_named("somebody quite else")
    files |= {CHECKPOINT: note(files, key)}
    forged = appended(files, "key.certified", person, fields, "00" * 64)
    forged = appended(
        forged, "log.recovered", identity, {"from_index": 6, "moved": [], "reason": "x"}
    )
    checks = checks_of(sealed(forged, key) if below else forged)
    assert checks["checkpoint"] == 21
    assert ("signatures" in checks) is below


def test_a_key_certified_later_may_not_sign_an_earlier_head(page: str, example: Files) -> None:
    """Not the head itself, and not a kept one."""
    person, _ = person_and_agent(example)
    key, _, fields = key_named("a second machine")
    later = appended(example, "key.certified", person, fields, seed(page, "person"))
    assert checks_of(later | {CHECKPOINT: note(later, key, 7)}) == {
        "checkpoint": 21,
        "sealed to the end": 3,
    }
    whole = sealed(later, seed(page, "agent"))
    assert checks_of(whole) == {}
    kept = "log/checkpoints/000000000007"
    assert checks_of(whole | {kept: note(whole, key, 7)}) == {"checkpoint": 21}
    # Nobody took over from the first agent, so nothing was to be kept.
    assert checks_of(whole | {kept: note(whole, seed(page, "agent"), 7)}) == {"files": 20}
    # From its own certification on it may.
    assert (
        checks_of(whole | {CHECKPOINT: note(whole, key), kept: note(example, seed(page, "agent"))})
        == {}
    )


def test_each_agent_needs_a_checkpoint_of_its_own_over_its_entries(
    page: str, example: Files
) -> None:
    person, agent = person_and_agent(example)
    first = seed(page, "agent")
    key, identity, fields = key_named("a second machine")
    files = appended(example, "key.certified", person, fields, seed(page, "person"))
    files = appended(files, "object.viewed", identity, viewed("the second machine"))
    files = sealed(files, key)
    kept = "log/checkpoints/000000000007"
    whole = files | {kept: example[CHECKPOINT]}
    assert checks_of(files) == {"checkpoint": 21}, "the first machine's checkpoint is gone"
    assert checks_of(whole) == {}
    damaged = {
        "another name": files | {"log/checkpoints/000000000008": example[CHECKPOINT]},
        "no name": files | {"log/checkpoints/7": example[CHECKPOINT]},
        "cut": files | {kept: example[CHECKPOINT][:-2]},
        "another head": files | {kept: note(without_erasure(page), first, 6)},
        "larger than the latest": whole
        | {CHECKPOINT: note(files, key, 8)}
        | {"log/checkpoints/000000000009": note(files, key)},
        "by the other": files | {kept: note(files, key, 7)},
        "two agents": whole
        | {CHECKPOINT: files[CHECKPOINT] + note(files, first).split(b"\n\n")[1]},
    }
    for what, one in damaged.items():
        assert checks_of(one), what
        assert_refused(one, what)
    # `log.recovered` adopts nothing any more: entries of one agent cannot be sealed by another.
    foreign = appended(files, "object.viewed", agent, viewed("the first machine"))
    assert checks_of(sealed(foreign, key) | {kept: example[CHECKPOINT]}) == {"checkpoint": 21}


def test_of_two_checkpoints_of_one_size_either_may_serve(page: str, example: Files) -> None:
    person, agent = person_and_agent(example)
    first = seed(page, "agent")
    key, identity, fields = key_named("a second machine")
    files = appended(example, "key.certified", person, fields, seed(page, "person"))
    files = appended(files, "object.viewed", identity, viewed("the second machine"))
    files = appended(files, "object.viewed", agent, viewed("the first machine"))
    kept = f"log/checkpoints/{len(files[ENTRIES].splitlines()):012d}"
    for one, other in ((first, key), (key, first)):
        assert checks_of(sealed(files, one) | {kept: note(files, other)}) == {}
    for lone in (first, key):
        assert checks_of(sealed(files, lone)) == {"checkpoint": 21}
        assert checks_of(sealed(files, lone) | {kept: note(files, lone)}) == {
            "checkpoint": 21,
            "sealed to the end": 3,
        }


def test_no_key_is_certified_twice_otherwise_and_none_of_the_root(
    page: str, example: Files
) -> None:
    person, _ = person_and_agent(example)
    first = json.loads(example[PRIVATE].splitlines()[1])
    same = {field: pair[1] for field, pair in first.items()}
    root_key = json.loads(example["root.json"])["keys"][0]["key"]
    own = {"key": person, "role": "agent", "name": "x", "ed25519": root_key["ed25519"]}

    def certified(fields: dict[str, Any]) -> dict[str, int]:
        longer = appended(example, "key.certified", person, fields, seed(page, "person"))
        return checks_of(sealed(longer, seed(page, "agent")))

    assert certified(same) == {}
    assert certified(same | {"name": "another"}) == {"entries": 20}
    assert certified(same | {"mldsa44": "00" * 1312}) == {"entries": 20}
    assert certified(own | {"mldsa44": None}) == {"entries": 20}
    assert certified(same | {"key": "00" * 16}) == {"entries": 20}
    assert certified(same | {"ed25519": same["ed25519"].upper()}) == {"entries": 20}
    assert certified(same | {"role": "person"}) == {"entries": 20}
    assert certified(same | {"ed25519": None}) == {"entries": 20}


def test_an_agent_decides_nothing_nor_does_a_person_whose_root_is_older(
    page: str, example: Files
) -> None:
    person, agent = person_and_agent(example)
    listing = json.loads(example[PRIVATE].splitlines()[2])["listing"][1]
    values = dict.fromkeys(second.KINDS["match.decided"]["fields"], None) | {"a": listing}
    values |= {"b": listing, "decision": "same_footage", "because": "x", "by": "x"}
    wrong = [
        ("match.decided", agent, values, None),
        ("match.decided", agent, values, seed(page, "agent")),
        ("match.decided", person, values, None),
        ("match.decided", person, values, seed(page, "person")),
    ]
    for one in wrong:
        files = sealed(appended(example, *one), seed(page, "agent"))
        assert checks_of(files) == {"signatures": 21}, one


def test_a_case_is_opened_once(page: str, example: Files) -> None:
    person, _ = person_and_agent(example)
    opening = {f: pair[1] for f, pair in json.loads(example[PRIVATE].splitlines()[0]).items()}
    twice = appended(example, "case.opened", person, opening, seed(page, "person"))
    assert checks_of(twice) == {"sealed to the end": 3}
    assert checks_of(sealed(twice, seed(page, "agent"))) == {"entries": 20}


def test_a_case_that_was_begun_and_never_sealed(page: str, example: Files) -> None:
    for number in (0, 1, 2):
        begun = {
            "root.json": example["root.json"],
            ENTRIES: b"".join(example[ENTRIES].splitlines(keepends=True)[:number]),
            PRIVATE: b"".join(example[PRIVATE].splitlines(keepends=True)[:number]),
        }
        assert verdicts(begun) == (3, 3), number
        kept = note(example, seed(page, "agent"), 2)
        assert verdicts(begun | {"log/checkpoints/000000000002": kept}) == (21, 21), number
        torn = {PRIVATE: begun[PRIVATE] + b'{"x'}
        assert verdicts(begun | torn) == (3, 3), number
    three = {name: data for name, data in without_erasure(page).items() if name != CHECKPOINT}
    assert_refused(three, "six entries and no checkpoint")
    assert verdicts({"root.json": example["root.json"]}) == (3, 3)
    assert verdicts({}) == (21, 21)


REFERENCES = [
    ({"_object": "ab" * 32, "_bytes": 5}, True),
    ({"_object": "AB" * 32, "_bytes": 5}, False),
    ({"_object": "ab" * 31, "_bytes": 5}, False),
    ({"_object": "ab" * 32}, False),
    ({"_object": "ab" * 32, "_bytes": 5, "more": 1}, False),
    ({"_object": 5, "_bytes": 5}, False),
    ({"_object": None, "_bytes": None}, False),
    ([{"_object": "ab" * 32, "_bytes": 5}], False),
    ({"in": {"_object": "ab" * 32, "_bytes": 5}}, False),
    ('{"_bytes":5,"_object":"' + "ab" * 32 + '"}', False),
]


@pytest.mark.parametrize("value, is_reference", REFERENCES)
def test_only_the_exact_form_names_an_object(
    page: str, example: Files, value: Any, is_reference: bool
) -> None:
    _, agent = person_and_agent(example)
    longer = appended(example, "object.viewed", agent, viewed("x") | {"purpose": value})
    checks = checks_of(sealed(longer, seed(page, "agent")))
    assert checks == ({"objects": 20} if is_reference else {})


def test_an_adopted_object_is_an_item_like_others(page: str, example: Files) -> None:
    _, agent = person_and_agent(example)
    data = b"left by a killed run\n"
    digest = second.sha256(data)
    name = f"objects/sha256/{digest[:2]}/{digest[2:]}"
    assert verdicts(example | {name: data}) == (3, 3)
    values = dict.fromkeys(second.KINDS["item.acquired"]["fields"])
    values |= {"object": digest, "size_bytes": len(data), "outcome": "adopted"}
    longer = sealed(appended(example, "item.acquired", agent, values), seed(page, "agent"))
    assert verdicts(longer | {name: data}) == (0, 0)
    assert_refused(longer, "the adopted object is missing")
    assert_refused(longer | {name: data + b"x"}, "the adopted object was changed")


def test_text_need_not_be_in_nfc(page: str, example: Files) -> None:
    """Writers write NFC; what is NFC changes with Unicode's version, so readers do not ask."""
    _, agent = person_and_agent(example)
    longer = appended(example, "object.viewed", agent, viewed("e\u0301"))
    assert checks_of(sealed(longer, seed(page, "agent"))) == {}


@pytest.mark.parametrize(
    "stamp", ["٢٠٢٦-05-03T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "", None]
)
def test_times_are_ascii_and_in_the_calendar(page: str, example: Files, stamp: Any) -> None:
    _, agent = person_and_agent(example)
    longer = appended(example, "object.viewed", agent, viewed("x"))
    *lines, last = longer[ENTRIES].splitlines()
    changed = with_lines(longer, ENTRIES, [*lines, second.encode(json.loads(last) | {"at": stamp})])
    assert checks_of(sealed(changed, seed(page, "agent")))["entries"] == 20


def test_names_hold_ascii_digits_only(example: Files) -> None:
    for name in ("log/entries/٠٠٠٠٠١.jsonl", "log/checkpoints/00000000000٧", "log/entries/1.jsonl"):
        assert_refused(example | {name: b""}, name)


@pytest.fixture(scope="module")
def two_segments(page: str, example: Files) -> Files:
    """The example with viewings until a second segment holds three lines."""
    _, agent = person_and_agent(example)
    longer = appended(example, "object.viewed", agent, viewed("x"))
    first = json.loads(longer[ENTRIES].splitlines()[-1])
    private = longer[PRIVATE].splitlines()
    public = longer[ENTRIES].splitlines()
    while len(public) < second.SEGMENT + 3:
        public.append(second.encode(first | {"prev": second.leaf_hash(public[-1]).hex()}))
        private.append(private[-1])
    whole = with_lines(with_lines(longer, ENTRIES, public), PRIVATE, private)
    whole = sealed(whole, seed(page, "agent"))
    for name, all_lines in ((ENTRIES, public), (PRIVATE, private)):
        whole = with_lines(whole, name, all_lines[: second.SEGMENT])
        whole = with_lines(whole, name.replace("0.", "1."), all_lines[second.SEGMENT :])
    return whole


def test_segments_are_full_and_in_order(two_segments: Files) -> None:
    assert verdicts(two_segments) == (0, 0)
    entries, private = ENTRIES.replace("0.", "1."), PRIVATE.replace("0.", "1.")
    for name in (ENTRIES, PRIVATE, entries, private):
        without = {other: data for other, data in two_segments.items() if other != name}
        assert_refused(without, f"{name} dropped")
        renamed = without | {name.replace(".jsonl", "0.jsonl"): two_segments[name]}
        assert_refused(renamed, f"{name} under another name")
    swapped = two_segments | {ENTRIES: two_segments[entries], entries: two_segments[ENTRIES]}
    assert_refused(swapped, "swapped")
    lines = two_segments[ENTRIES].splitlines(keepends=True)
    moved = {ENTRIES: b"".join(lines[:-1]), entries: lines[-1] + two_segments[entries]}
    assert_refused(two_segments | moved, "a line moved to the next segment")
    for name in ("log/entries/000003.jsonl", "log/private/000003.jsonl"):
        assert verdicts(two_segments | {name: b"x\n"}) == (3, 3), f"{name} beyond a gap"


def test_no_segment_is_more_than_full(two_segments: Files) -> None:
    merged = dict(two_segments)
    for name in (ENTRIES, PRIVATE):
        merged[name] += merged.pop(name.replace("0.", "1."))
    assert verdicts(merged) == (20, 20)


# ---------------------------------------------------------------- (d) a real case


@pytest.fixture(scope="module")
def real_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    (folder / "source" / "below").mkdir(parents=True)
    (folder / "source" / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(5000))
    (folder / "source" / "other.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(6000))
    (folder / "source" / "below" / "näme\u2028.txt").write_text("“said”\n", "utf-8")
    program = shutil.which("muniment", path=str(Path(sys.prefix) / "bin"))
    assert program, "the console script is installed beside the interpreter"
    environment = {"MUNIMENT_KEYS": str(folder / "keys"), "MUNIMENT_PASSPHRASE": "test"}
    who = ["--case", "case", "--by", "Zoë"]
    for command in (
        ["build", "source", *who, "--why", "a test — real"],
        ["build", "source/clip.mp4", *who, "--why", "a test — real"],
        ["trace", "decide", "clip.mp4", "other.mp4", "--same", *who, "--because", "a test — real"],
    ):
        done = subprocess.run(
            [program, *command],
            cwd=folder,
            env=environment,
            check=False,
            capture_output=True,
        )
        assert done.returncode in (0, 3), done.stderr  # 3: the clip is none
    return folder / "case"


def test_a_real_case_passes_both(real_case: Path) -> None:
    files = second.read_folder(real_case)
    assert second.verify(files) == []
    assert muniment.verify(real_case).exit_code == 0
    assert b'"kind":"match.decided"' in files[ENTRIES]


def test_a_real_checkpoint_needs_both_signatures(real_case: Path) -> None:
    files = second.read_folder(real_case)
    lines = files[CHECKPOINT].decode().split("\n")
    assert [len(line) > 3000 for line in lines[4:6]] == [False, True]
    for damaged in (lines[:4] + lines[5:], lines[:5] + lines[6:], lines[:6] + lines[5:]):
        assert_refused(files | {CHECKPOINT: "\n".join(damaged).encode()}, "a line less or more")
    start = len("\n".join(lines[:5])) + len(lines[5]) // 2
    for position in range(start, start + 1200, 100):
        damaged_bytes = flipped(files[CHECKPOINT], position, 0)
        assert_refused(files | {CHECKPOINT: damaged_bytes}, f"byte {position}")


# ---------------------------------------------------------------- writing the page anew


def rewrite() -> None:
    """Write the example's files, proof, pins and answers into the page."""
    page = PAGE.read_text("utf-8")
    files = second.build(page_inputs(page))
    order = ["root.json", ENTRIES, PRIVATE, CHECKPOINT]
    names = order + sorted(set(files) - set(order))
    blocks = [f"File `{name}`:\n\n```text\n{files[name].decode()}```" for name in names]
    page = _region(page, "files", "\n\n".join(blocks))
    proof = second.build_proof(files, 3).decode()
    page = _region(page, "proof", f"Proof `entry-3.tlog-proof`:\n\n```text\n{proof}```")
    head = second.read_note(files[CHECKPOINT])
    pins = (
        f"root        {second.sha256(files['root.json'])}\n"
        f"checkpoint  {head['size']}:{head['root'].hex()}"
    )
    page = _region(page, "pins", f"```text\n{pins}\n```")
    with tempfile.TemporaryDirectory() as folder:
        case = write_files(files, Path(folder))
        for block in console_blocks(page):
            for command, shown in block:
                page = page.replace(command + shown, command + answer(command, case))
    PAGE.write_text(page, "utf-8")


def _region(page: str, name: str, text: str) -> str:
    pattern = rf"(<!-- example: {name} -->\n).*?(<!-- end -->)"
    return re.sub(pattern, lambda match: f"{match[1]}\n{text}\n\n{match[2]}", page, flags=re.S)


if __name__ == "__main__":
    rewrite()
