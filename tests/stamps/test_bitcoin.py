"""Runs of block headers: what vouches for them, and what is refused. But for block 0 the headers are
synthetic."""

from __future__ import annotations

import hashlib
import struct

import pytest

from muniment.custody import bitcoin
from muniment.errors import MalformedError
from muniment.model.vocabulary import bitcoin_blocks
from tests.stamps.calendars import EASY, Chain, digest, mined

#: The first block of Bitcoin, as everybody has it.
GENESIS = bytes.fromhex(
    "01000000"
    + "00" * 32
    + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
    + "29ab5f49ffff001d1dac2b7c"
)


def chain(blocks: int, first: int = 1001) -> Chain:
    one = Chain(first, start_s=1_700_000_000)
    one.bury(blocks)
    return one


def pinned(one: Chain, *numbers: int) -> dict[int, bytes]:
    return {one.first + number: digest(one.headers[number]) for number in numbers}


def refused(data: bytes, pins: dict[int, bytes]) -> str:
    with pytest.raises(MalformedError) as raised:
        bitcoin.read_run(data, pins)
    return raised.value.what


def test_the_packaged_blocks_know_the_first_block() -> None:
    pins = bitcoin_blocks()
    run = bitcoin.read_run(GENESIS, pins)
    assert (run.first, run.last, run.pinned) == (0, 0, 0)
    assert bitcoin.block_time(GENESIS).isoformat() == "2009-01-03T18:15:05+00:00"
    assert bitcoin.merkle_root(GENESIS)[::-1].hex().startswith("4a5e1e4baab89f3a")
    assert sorted(pins)[-1] >= 912_683
    # Every packaged hash has the work that block 0 needed: a slip of a digit would not.
    assert all(digest[-4:] == bytes(4) for digest in pins.values())


def test_before_a_pinned_block_by_hash_after_it_by_work() -> None:
    one = chain(10)
    run = bitcoin.read_run(one.run(), pinned(one, 3))
    assert (run.first, run.last, run.pinned) == (1001, 1011, 1004)
    assert run.header(1001) == one.headers[0]
    assert "bound by hash to the pinned block 1004" in run.basis(1001)
    assert run.header(1005) == one.headers[4]
    assert "by proof of work, with 6 blocks on top" in run.basis(1005)
    assert run.header(1006) is None  # five on top
    assert run.header(1000) is None and run.header(1012) is None
    assert run.cut(1002, pinned(one, 3)) == b"".join(one.headers[1:4])
    after = bitcoin.read_run(run.cut(1005, pinned(one, 3)), pinned(one, 3))
    assert after.header(1005) == one.headers[4]


def test_headers_that_nothing_vouches_for_are_refused() -> None:
    one, other = chain(8), chain(8, first=2000)
    assert "nothing vouches" in refused(one.run(), bitcoin_blocks())
    assert "nothing vouches" in refused(other.run(), {5: bytes(32)})
    assert "another block 1004 than the pinned one" in refused(
        one.run(), pinned(one, 0) | {1004: bytes(32)}
    )
    wrong = pinned(one, 1) | {1004: digest(one.headers[5])}
    assert "reaches two pinned blocks" in refused(one.run(), wrong)


def test_headers_that_do_not_hold_together_are_refused() -> None:
    one = chain(8)
    pins = pinned(one, 0)
    assert "no run of block headers" in refused(b"", pins)
    assert "no run of block headers" in refused(one.run()[:-1], pins)
    swapped = b"".join([*one.headers[:3], one.headers[4], one.headers[3], *one.headers[5:]])
    assert "does not follow" in refused(swapped, pins)
    idle = list(one.headers)
    for nonce in range(100):
        idle[8] = one.headers[8][:76] + struct.pack("<I", nonce)
        if int.from_bytes(digest(idle[8]), "little") > 0x7FFFFF << 232:
            break
    assert "lacks the work" in refused(b"".join(idle), pins)


def test_difficulty_cannot_be_lowered_after_the_pinned_block() -> None:
    hard = 0x1F00FFFF  # 256 times EASY and more
    first = mined(bytes(32), hashlib.sha256(b"a").digest(), 1_700_000_000, hard)
    easy = mined(digest(first), hashlib.sha256(b"b").digest(), 1_700_000_600, EASY)
    pins = {5000: digest(first)}
    assert "block 5001 has another difficulty" in refused(first + easy, pins)


def test_difficulty_is_adjusted_every_2016_blocks() -> None:
    one = chain(2100, first=2016)
    # Easier than Bitcoin's easiest, as every synthetic chain: the rule would end that at once.
    assert "block 4032 has another difficulty" in refused(one.run(), pinned(one, 0))
    late = b"".join(one.headers[10:2030])
    assert "needs the headers from block 2016 on" in refused(late, pinned(one, 12))


@pytest.mark.parametrize(
    ("bits", "first_s", "last_s", "then"),
    [  # of the chain itself, as Bitcoin Core's own tests have them
        (0x1D00FFFF, 1261130161, 1262152739, 0x1D00D86A),  # block 32,256
        (0x1D00FFFF, 1231006505, 1233061996, 0x1D00FFFF),  # never easier than the limit
        (0x1C05A3F4, 1279008237, 1279297671, 0x1C0168FD),  # never harder than by 4
        (0x1C387F6F, 1263163443, 1269211443, 0x1D00E1FD),  # never easier than by 4
    ],
)
def test_adjustments_of_the_chain(bits: int, first_s: int, last_s: int, then: int) -> None:
    assert bitcoin.adjusted(bits, last_s - first_s) == then


@pytest.mark.parametrize("bits", [0x1D00FFFF, 0x1B0404CB, 0x207FFFFF, 0x170331DB, 0x03123456])
def test_compact_targets_round_trip(bits: int) -> None:
    assert bitcoin._compact(bitcoin._target(bits)) == bits
