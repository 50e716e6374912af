"""How bytes nobody could read are shown to a person."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.deadletters import preview


def test_a_preview_shows_hex_and_text() -> None:
    """Sixteen bytes a line, with their offset; what is not printable is a dot."""
    assert preview(b'{"v": \x00\xff 12345678}').splitlines() == [
        '00000000  7b 22 76 22 3a 20 00 ff 20 31 32 33 34 35 36 37  {"v": .. 1234567',
        "00000010  38 7d                                            8}",
    ]
    assert preview(b"") == ""


@given(st.binary(max_size=100), st.integers(0, 50))
def test_a_preview_is_bounded_and_printable(payload: bytes, limit: int) -> None:
    """It shows at most `limit` bytes, says how many it left out, and never writes a control character to a terminal."""
    lines = preview(payload, limit).splitlines()
    shown = bytes.fromhex("".join(line[10:57] for line in lines if not line.startswith("…")))
    assert payload.startswith(shown)
    assert (f"… {len(payload) - limit} more bytes" in lines) == (len(payload) > limit)
    assert all(line.isprintable() for line in lines)
