"""Snapshots: what comes back is what went in, and a damaged one is passed over."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emberwatch import __version__
from emberwatch.snapshots import SnapshotStore, code_version, decode, encode

plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(plain)
def test_plain_values_come_back_unchanged(value: Any) -> None:
    """Lists, dictionaries, numbers and words survive."""
    assert decode(encode(value)) == value


@given(
    hnp.arrays(st.sampled_from([np.int64, np.float64, np.int32, np.bool_]), hnp.array_shapes(min_side=0, max_dims=2))
)
def test_arrays_come_back_equal_writable_and_of_the_same_type(array: Any) -> None:
    """Detectors write into what they restored."""
    back = decode(encode({"a": array}))["a"]
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype
    assert back.flags.writeable


def test_what_cannot_be_kept_is_refused() -> None:
    """A set or an object would not come back the same."""
    with pytest.raises(NotImplementedError, match="object"):
        encode(object())


def test_the_newest_at_or_before_an_offset_is_found(tmp_path: Path) -> None:
    """A snapshot ahead of the books is of no use."""
    store = SnapshotStore(tmp_path, "1")
    for offset in (10, 20, 30):
        store.save(offset, {"at": offset})
    found = store.newest(25)
    assert found is not None
    assert (found.offset, found.state) == (20, {"at": 20})
    assert store.newest(5) is None


def test_a_damaged_snapshot_gives_way_to_an_older_one(tmp_path: Path) -> None:
    """A snapshot is a convenience; the journal is the truth."""
    store = SnapshotStore(tmp_path, "1")
    store.save(10, {})
    store.save(20, {})
    newest = max(tmp_path.glob("*.snapshot"))
    newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    found = store.newest(99)
    assert found is not None
    assert found.offset == 10


def test_a_snapshot_of_another_version_is_told_apart(tmp_path: Path) -> None:
    """State of other code means other things."""
    SnapshotStore(tmp_path, "1").save(10, {})
    newer = SnapshotStore(tmp_path, "2")
    found = newer.newest(99)
    assert found is not None
    assert not newer.is_ours(found)


def test_pruning_keeps_the_newest_and_what_a_slow_reader_needs(tmp_path: Path) -> None:
    """The journal may be trimmed only behind the oldest snapshot left."""
    store = SnapshotStore(tmp_path, "1")
    for offset in (10, 20, 30, 40, 50):
        store.save(offset, {})
    assert store.prune(needed_offset=25) == 20
    assert sorted(int(p.stem) for p in tmp_path.glob("*.snapshot")) == [20, 40, 50]


def test_the_version_follows_the_code_and_not_the_day() -> None:
    """A restart uses its snapshot; an upgrade replays."""
    assert code_version({}) == code_version({}) != code_version({"G105": {"h": 9.0}})
    assert code_version({}).startswith(f"{__version__}-")
