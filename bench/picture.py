"""The picture of a run: throughput beside plain Envoy's, and what is added to latency."""

from __future__ import annotations

import statistics
from html import escape

from report import BASE, HELD

# The cases that a picture has room for; the tables have all.
THROUGHPUT = ("1 KB, 8 connections", "1 MB, 8 connections", "stream of 64 deltas")
LATENCY = ("1 connection",)

WIDTH, MARGIN, GAP = 880, 24, 10
ROW, BAR, GROUP = 21, 13, 30
NAME_WIDTH, VALUE_WIDTH = 170, 60
COLOURS = {
    "plain": "#9aa3ad",
    "sluice module": "#0f766e",
    "sluice module, no metrics": "#63b3a8",
    "sluice wasm": "#3b82c4",
}
OTHER_COLOUR = "#d6a04b"
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1f2933}"
    ".title{font-size:14px;font-weight:600}.case{fill:#52606d}.value{font-weight:600}"
)


def svg(results: dict) -> str:
    """Both panels, one below the other."""
    machine = results["machine"]
    canvas = Canvas()
    canvas.title("Requests per second at saturation of one worker, as a share of plain Envoy's")
    canvas.bars(chosen(results, THROUGHPUT), ratio, "{:.2f}")
    singles = chosen(results, LATENCY)
    if singles:
        canvas.title("Milliseconds added to the median request, at one connection")
        canvas.bars(singles, added_p50, "{:.3f}", (BASE, HELD))
    canvas.note(
        f"Envoy {machine['envoy']}, {machine['processors']} processors, medians of "
        f"{machine['rounds']} rounds of {machine['seconds']} s, all in one run"
    )
    return canvas.drawn()


def chosen(results: dict, endings: tuple[str, ...]) -> list[dict]:
    return [case for case in results["cases"] if case["case"].endswith(endings)]


def ratio(own: dict, plain: dict) -> float:
    return own["rate"] / plain["rate"]


def added_p50(own: dict, plain: dict) -> float:
    return own["p50_ms"] - plain["p50_ms"]


class Canvas:
    """Rows of bars under titles, from top to bottom."""

    def __init__(self) -> None:
        self.y = MARGIN
        self.parts: list[str] = []

    def title(self, text: str) -> None:
        self._text(MARGIN, text, "title")
        self.y += GROUP

    def note(self, text: str) -> None:
        self._text(MARGIN, text, "case")
        self.y += ROW

    def bars(self, cases: list[dict], figure, form: str, but: tuple = (HELD,)) -> None:
        """A group per case, a bar per contestant; all bars of a panel share one scale."""
        groups = [(case["case"], medians(case["rounds"], figure, but)) for case in cases]
        longest = max((v for _, group in groups for v in group.values()), default=1) or 1
        for name, group in groups:
            self._text(MARGIN, name, "case")
            self.y += ROW
            for who, value in group.items():
                self._bar(who, max(value, 0) / longest, form.format(value))
            self.y += GAP
        self.y += GAP

    def _bar(self, who: str, share: float, value: str) -> None:
        left = MARGIN + NAME_WIDTH
        length = share * (WIDTH - left - VALUE_WIDTH - MARGIN)
        colour = COLOURS.get(who, OTHER_COLOUR)
        self._text(MARGIN + GAP, who)
        self.parts.append(
            f'<rect x="{left}" y="{self.y - BAR + 2}" width="{max(length, 1):.0f}" '
            f'height="{BAR}" rx="2" fill="{colour}"/>'
        )
        self._text(left + length + 6, value, "value")
        self.y += ROW

    def _text(self, x: float, text: str, kind: str = "") -> None:
        self.parts.append(f'<text x="{x:.0f}" y="{self.y}" class="{kind}">{escape(text)}</text>')

    def drawn(self) -> str:
        size = f'viewBox="0 0 {WIDTH} {self.y}" width="{WIDTH}" height="{self.y}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        paper = f'<rect width="{WIDTH}" height="{self.y}" rx="8" fill="#fff"/>'
        return "\n".join([head, f"<style>{STYLE}</style>", paper, *self.parts, "</svg>", ""])


def medians(rounds: dict[str, list[dict]], figure, but: tuple) -> dict[str, float]:
    """By contestant, within each round beside plain Envoy."""
    base = rounds[BASE]
    return {
        who: statistics.median(figure(*pair) for pair in zip(own, base, strict=True))
        for who, own in rounds.items()
        if who not in but
    }
