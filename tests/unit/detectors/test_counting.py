"""How a device's numbers follow one another."""

import msgspec

from detectors.counting import Chain, Count, advance

LAST = 2**63 - 1


def test_leaping_numbers_lose_no_more_than_a_snapshot_holds() -> None:
    """A device that jumps from nought to the last number again and again is counted, within bounds."""
    count = Count(None)
    for turn in range(8):
        advance(count, Chain(turn, 0, 2 * turn), 1)
        advance(count, Chain(turn, LAST, 2 * turn + 1), 1)
    restored = Count.restored(msgspec.msgpack.decode(msgspec.msgpack.encode(count.snapshot())))
    assert restored.lost == count.lost
    assert 0 < count.lost < LAST
