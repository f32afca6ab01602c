"""Draws the dashboard's panels as an SVG, from what Prometheus answered to their queries.

Places, titles, units and legends are those of the dashboard's JSON; the drawing is this script's,
not Grafana's.
"""

import html
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass
class Panel:
    """A panel as the dashboard has it, and its lines: legend and points."""

    title: str
    unit: str
    place: dict
    lines: list[tuple[str, list[Point]]]


# Grafana's grid has 24 columns; a row is a little higher than there.
COLUMN, ROW, GAP, MARGIN = 51, 26, 10, 12
HEAD, LEFT, LEGEND_LINE = 34, 54, 15
BACK, CARD, EDGE, GRID, TEXT, FAINT = (
    "#111217",
    "#181b1f",
    "#2a2d33",
    "#25282e",
    "#d8d9da",
    "#8e9199",
)
COLOURS = ["#73bf69", "#5794f2", "#f2cc0c", "#ff780a", "#b877d9", "#5bc8c8", "#f2495c", "#c0a98e"]
STYLE = f"""
text {{ font: 11px system-ui, sans-serif; fill: {FAINT} }}
.t {{ font-size: 13px; font-weight: 600; fill: {TEXT} }}
.l {{ fill: {TEXT} }}
.e {{ text-anchor: end }}
.m {{ text-anchor: middle }}
polyline {{ fill: none; stroke-width: 1.6; stroke-linejoin: round }}
polygon {{ fill-opacity: .1 }}
"""


def draw(panels: list[Panel]) -> str:
    width = 24 * COLUMN + 2 * MARGIN
    bottom = max(panel.place["y"] + panel.place["h"] for panel in panels)
    height = bottom * ROW + 2 * MARGIN
    cards = "\n".join(_card(panel) for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">\n<style>{STYLE}</style>\n'
        f'<rect width="{width}" height="{height}" fill="{BACK}"/>\n{cards}\n</svg>\n'
    )


def _card(panel: Panel) -> str:
    place = panel.place
    x, y = MARGIN + place["x"] * COLUMN + GAP / 2, MARGIN + place["y"] * ROW + GAP / 2
    width, height = place["w"] * COLUMN - GAP, place["h"] * ROW - GAP
    frame = f'<rect width="{width}" height="{height}" rx="3" fill="{CARD}" stroke="{EDGE}"/>'
    title = f'<text class="t" x="12" y="21">{html.escape(panel.title)}</text>'
    lines = sorted(panel.lines, key=lambda line: line[0])
    legend, rows = _legend(lines, width)
    floor = height - 26 - rows * LEGEND_LINE
    plot = _plot(lines, panel.unit, (LEFT, width - 14, HEAD, floor))
    shift = f'<g transform="translate(0 {height - 8 - (rows - 1) * LEGEND_LINE})">{legend}</g>'
    return f'<g transform="translate({x:g} {y:g})">{frame}{title}{plot}{shift}</g>'


def _plot(lines, unit: str, box) -> str:
    left, right, top, floor = box
    times = [time for _, points in lines for time, _ in points]
    highest = max((value for _, points in lines for _, value in points), default=0)
    begin, span = min(times), max(max(times) - min(times), 1)
    step = _step(highest)
    ceiling = max(step, -(-highest // step) * step)
    across = lambda time: left + (time - begin) / span * (right - left)  # noqa: E731
    up = lambda value: floor - value / ceiling * (floor - top)  # noqa: E731
    parts = []
    for mark in range(round(ceiling / step) + 1):
        y = up(mark * step)
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="{GRID}"/>')
        label = _number(mark * step, unit)
        parts.append(f'<text class="e" x="{left - 6}" y="{y + 4:.1f}">{label}</text>')
    for second in range(0, int(span) + 1, _seconds(span)):
        x = across(begin + second)
        parts.append(f'<text class="m" x="{x:.1f}" y="{floor + 14}">{second} s</text>')
    for index, (_, points) in enumerate(lines):
        colour = COLOURS[index % len(COLOURS)]
        shape = " ".join(f"{across(time):.1f},{up(value):.1f}" for time, value in points)
        if len(lines) < 4 and points:
            first, last = across(points[0][0]), across(points[-1][0])
            area = f"{first:.1f},{floor} {shape} {last:.1f},{floor}"
            parts.append(f'<polygon points="{area}" fill="{colour}"/>')
        parts.append(f'<polyline points="{shape}" stroke="{colour}"/>')
    return "".join(parts)


def _legend(lines, width: int) -> tuple[str, int]:
    """One entry after the other, in as many rows as that takes."""
    parts, x, row = [], 12, 0
    for index, (name, _) in enumerate(lines):
        wide = 22 + 6.3 * len(name)
        if x > 12 and x + wide > width - 8:
            x, row = 12, row + 1
        y = row * LEGEND_LINE
        colour = COLOURS[index % len(COLOURS)]
        parts.append(
            f'<path d="M{x:g} {y - 4}h12" stroke="{colour}" stroke-width="3"/>'
            f'<text class="l" x="{x + 17:g}" y="{y}">{html.escape(name)}</text>'
        )
        x += wide + 8
    return "".join(parts), row + 1


def _step(highest: float) -> float:
    """A round step that makes three to six lines of a grid."""
    if highest <= 0:
        return 1
    magnitude = 10.0
    while magnitude > highest:
        magnitude /= 10
    while magnitude * 10 <= highest:
        magnitude *= 10
    for part in (0.2, 0.25, 0.5, 1, 2):
        if highest / (magnitude * part) <= 5:
            return magnitude * part
    return magnitude * 2


def _seconds(span: float) -> int:
    return next((step for step in (5, 10, 15, 30, 60) if span / step <= 7), 120)


def _number(value: float, unit: str) -> str:
    if unit == "ms" and value >= 1000:
        return f"{value / 1000:g} s"
    if unit == "µs" and value >= 1000:
        return f"{value / 1000:g} ms"
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:.3g}" + {"ms": " ms", "µs": " µs", "reqps": "/s", "cps": "/s"}.get(unit, "")
