"""How results of detection are told: arguments, a table of rows, JSON, and a page with drawings that needs nothing else."""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

Row = Mapping[str, Any]

_WIDTH, _LABEL, _BAR, _LANE = 1180, 150, 14, 22
_STYLE = """
body{font:14px/1.5 sans-serif;margin:24px auto;max-width:1220px;color:#1f2329;padding:0 16px}h1{font-size:22px}h2{font-size:15px}
table{border-collapse:collapse}td,th{border:1px solid #dee0e3;padding:2px 8px;text-align:right}th{background:#f5f6f7}
svg{width:100%;height:auto;display:block}text{font-size:11px;fill:#646a73}.truth{fill:#52c41a;fill-opacity:.35}
.alarm{fill:#d4380d;fill-opacity:.8}.bar{fill:#245bdb}.line{stroke:#dee0e3}.half{stroke:#1f2329;stroke-dasharray:4}
"""


class Span(NamedTuple):
    """`[start, end]` on an axis of any unit; `style` is a class of the page's style sheet."""

    start: float
    end: float
    style: str


def parser(text: str) -> argparse.ArgumentParser:
    """Return a parser of what every measure here takes."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    made.add_argument("--picture", type=Path, metavar="FILE", help="write an HTML page with the drawings")
    return made


def tell(result: Mapping[str, Any], tables: Iterable[Sequence[Row]], *, as_json: bool) -> None:
    """Print the whole result as JSON, or the tables for a person."""
    if as_json:
        print(json.dumps(result))
        return
    for rows in tables:
        print(_text(rows), end="\n\n")


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _text(rows: Sequence[Row]) -> str:
    columns = _columns(rows)
    cells = [columns, *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def page(title: str, parts: Iterable[str]) -> str:
    """Return an HTML page; `parts` are what the functions below return."""
    body = "\n".join(parts)
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f"{head}<h1>{escape(title)}</h1>\n{body}</html>\n"


def table(heading: str, rows: Sequence[Row]) -> str:
    """Return the rows as an HTML table."""
    columns = _columns(rows)
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(_cell(row.get(c)))}</td>" for c in columns) + "</tr>" for row in rows)
    return f"<h2>{escape(heading)}</h2><table><tr>{head}</tr>{body}</table>"


def bars(heading: str, values: Sequence[tuple[str, float]]) -> str:
    """Return horizontal bars from zero to the largest value."""
    most = max((value for _, value in values), default=0.0) or 1.0
    drawn = [_bar(i, label, value, (_WIDTH - _LABEL - 70) * value / most) for i, (label, value) in enumerate(values)]
    return f"<h2>{escape(heading)}</h2>{_svg(len(values) * (_BAR + 4), drawn)}"


def _bar(i: int, label: str, value: float, width: float) -> str:
    top = i * (_BAR + 4)
    return (
        f'<text x="{_LABEL - 6}" y="{top + 11}" text-anchor="end">{escape(label)}</text>'
        f'<rect class="bar" x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR}"/>'
        f'<text x="{_LABEL + width + 6:.1f}" y="{top + 11}">{value:.3g}</text>'
    )


def lanes(heading: str, axis: tuple[float, float], rows: Sequence[tuple[str, Sequence[Span]]]) -> str:
    """Return one lane a row with its spans on a common axis from `axis[0]` to `axis[1]`."""
    drawn = [_lane(i, label, spans, axis) for i, (label, spans) in enumerate(rows)]
    return f"<h2>{escape(heading)}</h2>{_svg(len(rows) * _LANE, drawn)}"


def _lane(i: int, label: str, spans: Sequence[Span], axis: tuple[float, float]) -> str:
    top, scale = i * _LANE, (_WIDTH - _LABEL) / ((axis[1] - axis[0]) or 1.0)
    boxes = "".join(
        f'<rect class="{span.style}" x="{_LABEL + (span.start - axis[0]) * scale:.1f}" y="{top + 2}" '
        f'width="{max(1.0, (span.end - span.start) * scale):.1f}" height="{_LANE - 4}"/>'
        for span in spans
    )
    return (
        f'<line class="line" x1="{_LABEL}" x2="{_WIDTH}" y1="{top + _LANE}" y2="{top + _LANE}"/>'
        f'<text x="{_LABEL - 6}" y="{top + 15}" text-anchor="end">{escape(label)}</text>{boxes}'
    )


def _svg(height: int, drawn: Iterable[str]) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img">{"".join(drawn)}</svg>'
