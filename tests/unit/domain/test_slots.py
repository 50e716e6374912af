"""Slots: a path has one for ever, and a name has those of all places it speaks from."""

from hypothesis import given
from hypothesis import strategies as st

from domain.slots import SlotTable

_names = st.sampled_from("abcd")
_paths = st.builds("{}/{}/{}".format, _names, _names, _names)


@given(st.lists(_paths, max_size=40))
def test_a_path_keeps_the_slot_of_its_first_appearance(paths: list[str]) -> None:
    """Whatever comes later, and however often; a path never taken has none."""
    table = SlotTable(paths)
    order = list(dict.fromkeys(paths))
    assert table.paths() == tuple(order)
    assert [table.find(path) for path in order] == list(range(len(order)))
    assert table.find("a/b/elsewhere") is None


@given(st.lists(_paths, max_size=40))
def test_a_name_has_the_slots_of_all_its_places(paths: list[str]) -> None:
    """In the order in which they appeared."""
    table = SlotTable(paths)
    for name in "abcd":
        assert table.named(name) == tuple(i for i, path in enumerate(table.paths()) if path.endswith(f"/{name}"))
