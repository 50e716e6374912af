"""Masks hide what they should, show what helps to recognise, and come back as the value they stand for. All people invented."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from registers import masking
from registers.nouns import NOUNS, build

_WELDER = {
    "code": "W-1",
    "name": "张某一",
    "credential": "C-1",
    "id_number": "410411199003071233",
    "phone": "10000000001",
}


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (masking.mask_name, "张某一", "张*"),
        (masking.mask_phone, "10000001234", "100****1234"),
        (masking.mask_phone, "2345678", "*******"),
        (masking.mask_id, "410411199003071233", "410***********1233"),
        (masking.mask_id, "T410411199003071233", "T410***********1233"),
        (masking.mask_id, "豫A0420190001", "豫A0*****0001"),
        (masking.mask_id, "T12", "T**"),
    ],
)
def test_masks_in_use(mask: object, value: str, shown: str) -> None:
    """Phones and numbers show 3 + 4 characters, T stays before, short values hide wholly; names show their first character."""
    assert callable(mask)
    assert mask(value) == shown


@given(st.text("0123456789", min_size=1, max_size=30))
def test_a_third_or_more_stays_hidden(number: str) -> None:
    """Whatever the length, at least three characters or all of them are hidden."""
    shown = masking.mask_phone(number)
    assert len(shown) == len(number)
    assert shown.count("*") >= min(3, len(number))


@pytest.mark.parametrize("noun", NOUNS)
def test_every_private_field_has_a_mask(noun: str) -> None:
    """A new private field without a mask fails here, not at an exit."""
    assert NOUNS[noun].private <= masking.MASKS.keys()


def test_masked_entry_shows_no_private_value() -> None:
    """Of a whole entry only public fields leave as they are; what is empty stays empty."""
    shown = masking.masked(build("welder", _WELDER))
    assert shown == {
        "code": "W-1",
        "name": "张*",
        "credential": "C-1",
        "id_number": "410***********1233",
        "phone": "100****0001",
        "enterprise": None,
    }


def test_mask_that_comes_back_means_the_kept_value() -> None:
    """Masked out, edited elsewhere, sent back: hidden values stay, changed ones change."""
    kept = build("welder", _WELDER)
    sent = masking.masked(kept) | {"phone": "10000000009", "enterprise": "E-1"}
    assert build("welder", masking.unmasked(sent, kept)) == msgspec.structs.replace(
        kept, phone="10000000009", enterprise="E-1"
    )


@pytest.mark.parametrize("field", ["name", "phone", "id_number"])
def test_mask_of_nothing_kept_is_refused(field: str) -> None:
    """A mask can never become the stored value."""
    with pytest.raises(InputError, match=f"{field}: is masked"):
        build("welder", _WELDER | {field: "4*"})
