"""Line charts on logarithmic axes as SVG, without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 190, 48, 56
_COLOURS = ("#1b6ca8", "#c0562f", "#3d7f4a", "#7a4f9a", "#8a6d1d", "#4a4a4a")
Series = Mapping[str, Sequence[tuple[float, float]]]


def line_chart(title: str, x_label: str, y_label: str, series: Series) -> str:
    """Return an SVG picture of lines over two logarithmic axes; every point is marked and every value positive."""
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    across = _Axis(min(xs), max(xs), _LEFT, WIDTH - _RIGHT)
    up = _Axis(min(ys), max(ys), HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="24" font-size="15" fill="#222222">{escape(title)}</text>',
    ]
    for value in across.ticks():
        x = across.place(value)
        parts.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{HEIGHT - _BOTTOM}" stroke="#e2e2e2"/>')
        parts.append(_text(x, HEIGHT - _BOTTOM + 18, _number(value), "middle"))
    for value in up.ticks():
        y = up.place(value)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#e2e2e2"/>')
        parts.append(_text(_LEFT - 8, y + 4, _number(value), "end"))
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 14, x_label, "middle"))
    middle = (_TOP + HEIGHT - _BOTTOM) / 2
    parts.append(f'<g transform="rotate(-90 18 {middle})">{_text(18, middle, y_label, "middle")}</g>')
    for i, (name, points) in enumerate(series.items()):
        parts += _line(name, [(across.place(x), up.place(y)) for x, y in points], i)
    return "\n".join([*parts, "</svg>", ""])


class _Axis:
    def __init__(self, least: float, most: float, start: float, end: float) -> None:
        self._low, self._high = math.floor(_log(least) * 4) / 4, math.ceil(_log(most) * 4) / 4
        self._high = max(self._high, self._low + 0.25)
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        return self._start + (self._end - self._start) * (_log(value) - self._low) / (self._high - self._low)

    def ticks(self) -> list[float]:
        """Return 1, 2 and 5 times each power of ten; the powers alone when that would be many."""
        powers = range(math.floor(self._low), math.ceil(self._high) + 1)
        steps = (1, 2, 5) if len(powers) <= 4 else (1,)
        values = [step * 10.0**power for power in powers for step in steps]
        return [value for value in values if self._low - 1e-9 <= _log(value) <= self._high + 1e-9]


def _line(name: str, points: Sequence[tuple[float, float]], number: int) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
    at = _TOP + 8 + 20 * number
    key = [
        f'<line x1="{WIDTH - _RIGHT + 14}" y1="{at}" x2="{WIDTH - _RIGHT + 34}" y2="{at}" stroke="{colour}" '
        'stroke-width="2"/>',
        _text(WIDTH - _RIGHT + 40, at + 4, name, "start"),
    ]
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *marks, *key]


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#333333">{escape(text)}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _log(value: float) -> float:
    return math.log10(value)
