"""One HTML page without any outside resource: the curves of a recording with the alarms and the known events drawn on them."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.catalogue import CATALOGUE
from domain.measurands import BY_NAME
from emberwatch.backtest.channels import Channel, given_name
from emberwatch.backtest.recording import Recording
from emberwatch.backtest.runner import Episode, Outcome, iso
from emberwatch.backtest.truth import Interval, Verdict

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 1180, 150, 60, 18
_BUCKETS = 1_000
_STRIP = 10
_PEAKY = 8
"""A maximum this many times the median is drawn on a logarithmic scale."""
_COLOURS = {1: "#d4380d", 2: "#fa8c16", 3: "#d4b106", 4: "#1677ff"}
_STYLE = """
body{font:14px/1.5 "Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:24px auto;max-width:1220px;color:#1f2329;padding:0 16px}
h1{font-size:22px}h2{font-size:15px;margin:22px 0 2px}
h2+p{margin:0;font-size:11px;color:#646a73}table{border-collapse:collapse;margin:8px 0}
ul{margin:8px 0;padding-left:20px;font-size:12px;color:#646a73}
td,th{border:1px solid #dee0e3;padding:3px 10px;text-align:left}th{background:#f5f6f7}svg{width:100%;height:auto;display:block}
.truth{fill:#52c41a;fill-opacity:.22}.alarm{fill-opacity:.85}.curve{fill:none;stroke:#245bdb;stroke-width:1}
.axis{stroke:#dee0e3}.tick{font-size:10px;fill:#646a73}
.key span{display:inline-block;padding:0 8px;margin-right:8px;border-radius:3px}
"""


class Variant(NamedTuple):
    """One choice of parameters and what came of it."""

    name: str
    outcome: Outcome
    verdict: Verdict | None


class Scale(NamedTuple):
    """Where a moment and a value are on the drawing, in SVG units; `logarithmic` where peaks would flatten all else."""

    span: Interval
    low: float
    high: float
    logarithmic: bool

    def x(self, moment_ms: float) -> float:
        """Return the abscissa of an instant."""
        width = max(1, self.span.end_ms - self.span.start_ms)
        return round(_LEFT + (_WIDTH - _LEFT) * (moment_ms - self.span.start_ms) / width, 1)

    def y(self, value: float) -> float:
        """Return the ordinate of a value."""
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return round(_HEIGHT - (_HEIGHT - 12) * (value - low) / ((high - low) or 1.0), 1)


def page(title: str, recording: Recording, variants: Sequence[Variant], truth: Sequence[Interval]) -> str:
    """Return the report as HTML; the alarms of each variant are a strip of their own above the curves."""
    charts = "\n".join(_chart(i, channel, recording, variants, truth) for i, channel in enumerate(recording.channels))
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>回放报告 {escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>回放报告 · {escape(title)}</h1>"
        f"{_summary(recording, variants)}{_remarks(recording)}{_key()}{charts}{_table(variants[0].outcome.episodes)}</html>\n"
    )


def _summary(recording: Recording, variants: Sequence[Variant]) -> str:
    span = variants[0].outcome.span
    rows = [
        ("时间范围 (UTC)", [f"{iso(span.start_ms)} – {iso(span.end_ms)}"]),
        ("读数", [f"{recording.readings:,}"]),
        ("报警次数", [f"{len(variant.outcome.episodes):,}" for variant in variants]),
    ]
    if len(variants) > 1:
        rows.insert(2, ("设置（图中自上而下）", [variant.name for variant in variants]))
    verdicts = [variant.verdict for variant in variants if variant.verdict is not None]
    if verdicts:
        rows += [
            ("已知事件发现", [f"{v.found} / {v.total}" for v in verdicts]),
            (
                "发现延迟 中位 / 90% (分钟)",
                [f"{_shown(v.delay_median_min)} / {_shown(v.delay_p90_min)}" for v in verdicts],
            ),
            ("无事件时间内处于报警的比例", [_shown(v.alarmed_share_of_free_time) for v in verdicts]),
            ("评分排序 (AUC)", [_shown(v.score_auc) for v in verdicts]),
            ("每个无事件日误报", [f"{_shown(v.false_per_event_free_day)} (共 {v.false_events} 次)" for v in verdicts]),
        ]
    return _rows(rows)


def _remarks(recording: Recording) -> str:
    """Return how the file was understood and what was left out."""
    return f"<ul>{''.join(f'<li>{escape(remark)}</li>' for remark in recording.remarks)}</ul>"


def _rows(rows: Iterable[tuple[str, list[str]]]) -> str:
    lines = (f"<tr><th>{escape(a)}</th>{''.join(f'<td>{escape(b)}</td>' for b in cells)}</tr>" for a, cells in rows)
    return f"<table>{''.join(lines)}</table>"


def _shown(value: float | None) -> str:
    return "—" if value is None else f"{value:g}"


def _key() -> str:
    words = {1: "紧急", 2: "重要", 3: "一般", 4: "提示"}
    marks = "".join(f'<span style="background:{_COLOURS[s]};color:#fff">{word}</span>' for s, word in words.items())
    truth = '<span style="background:#d9f2cc">已知事件</span>'
    return f'<p class="key">{marks}{truth} 条带为报警，曲线为读数（每段保留最大最小值）</p>'


def _chart(
    column: int, channel: Channel, recording: Recording, variants: Sequence[Variant], truth: Sequence[Interval]
) -> str:
    times, values = recording.series(column)
    measurand = BY_NAME[channel.measurand]
    names = (
        channel.column,
        f"{measurand.title} ({measurand.unit})" if measurand.unit else measurand.title,
        given_name(str(channel.device)),
    )
    heading = f"<h2>{escape(' · '.join(names))}</h2>"
    if not len(times):
        return f"{heading}<p>没有读数</p>"
    span = variants[0].outcome.span
    scale = _scale(span, values)
    heading += "<p>对数刻度</p>" if scale.logarithmic else ""
    marks = [_band(scale, event, "truth", "已知事件", _HEIGHT, 0) for event in truth if event.touches(span)]
    for strip, variant in enumerate(variants):
        mine = (e for e in variant.outcome.episodes if e.device == str(channel.device))
        marks += [_alarm(scale, episode, strip * _STRIP) for episode in mine]
    body = "".join(marks) + _axes(scale) + f'<path class="curve" d="{_path(scale, times, values)}"/>'
    return f'{heading}<svg viewBox="0 0 {_WIDTH} {_HEIGHT + _BOTTOM}" role="img">{body}</svg>'


def _scale(span: Interval, values: NDArray[np.float64]) -> Scale:
    low, high = float(values.min()), float(values.max())
    return Scale(span, low, high, logarithmic=low > 0 and high > _PEAKY * float(np.median(values)))


def _band(scale: Scale, interval: Interval, style: str, title: str, height: int, top: int, fill: str = "") -> str:
    left = scale.x(interval.start_ms)
    width = max(1.5, scale.x(interval.end_ms) - left)
    colour = f' style="fill:{fill}"' if fill else ""
    box = f'x="{left}" y="{top}" width="{width:.1f}" height="{height}"'
    return f'<rect class="{style}"{colour} {box}><title>{escape(title)}</title></rect>'


def _alarm(scale: Scale, episode: Episode, top: int) -> str:
    end = scale.span.end_ms if episode.cleared_ms is None else episode.cleared_ms
    title = f"{episode.rule} {CATALOGUE[episode.rule].title} {iso(episode.raised_ms)} – {iso(episode.cleared_ms) or '仍在报警'}"
    return _band(scale, Interval(episode.raised_ms, end), "alarm", title, _STRIP - 2, top, _COLOURS[episode.severity])


def _axes(scale: Scale) -> str:
    parts = [f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>']
    parts += [
        f'<text class="tick" x="{_LEFT - 4}" y="{scale.y(value) + 3}" text-anchor="end">{value:.4g}</text>'
        for value in (scale.low, scale.high)
    ]
    for i in range(8):
        moment = scale.span.start_ms + (scale.span.end_ms - scale.span.start_ms) * i // 7
        text = dt.datetime.fromtimestamp(moment / 1000, dt.UTC).strftime("%m-%d %H:%M")
        anchor = "start" if i == 0 else "end" if i == 7 else "middle"  # noqa: PLR2004  the last of eight
        parts.append(
            f'<text class="tick" x="{scale.x(moment)}" y="{_HEIGHT + 13}" text-anchor="{anchor}">{text}</text>'
        )
    return "".join(parts)


def _path(scale: Scale, times: NDArray[np.int64], values: NDArray[np.float64]) -> str:
    """Draw each bucket's minimum and maximum, so that no peak is lost."""
    edges = np.unique(np.linspace(0, len(times), _BUCKETS + 1).astype(np.int64))
    points = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[start:end]
        ends = sorted({int(part.argmin()), int(part.argmax())})
        points += [f"{scale.x(int(times[start + i]))},{scale.y(float(part[i]))}" for i in ends]
    return "M" + "L".join(points)


def _table(episodes: Sequence[Episode], most: int = 500) -> str:
    rows = "".join(
        f"<tr><td>{iso(e.raised_ms)}</td><td>{iso(e.cleared_ms) or '—'}</td><td>{e.rule} {escape(CATALOGUE[e.rule].title)}</td>"
        f"<td>{escape(given_name(e.device))}</td><td>{int(e.severity)}</td></tr>"
        for e in episodes[:most]
    )
    more = f"<p>另有 {len(episodes) - most} 次见 findings.csv</p>" if len(episodes) > most else ""
    head = "<tr><th>开始 (UTC)</th><th>结束</th><th>规则</th><th>设备</th><th>级别</th></tr>"
    return f"<h2>报警</h2><table>{head}{rows}</table>{more}"
