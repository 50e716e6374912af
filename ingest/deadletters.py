"""How bytes nobody could read are shown to a person."""

_WIDTH = 16


def preview(payload: bytes, limit: int = 4096) -> str:
    """Return up to `limit` bytes as offset, hex and text, 16 a line."""
    lines = [_line(start, payload[start : start + _WIDTH]) for start in range(0, min(len(payload), limit), _WIDTH)]
    if len(payload) > limit:
        lines.append(f"… {len(payload) - limit} more bytes")
    return "\n".join(lines)


def _line(start: int, part: bytes) -> str:
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)  # noqa: PLR2004  printable ASCII
    return f"{start:08x}  {part.hex(' '):<{3 * _WIDTH - 1}}  {text}"
