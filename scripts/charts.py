"""Small line charts with intervals as SVG text: the same bytes for the same figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from evaluation.stats import Rate

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 24, 48
COLOURS = ("#111827", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00")
"""Told apart with colour-blind eyes too."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a rate at each place of the axis, None where there is none."""

    name: str
    rates: Sequence[Rate | None]


def chart(title: str, places: Sequence[str], axis: str, lines: Sequence[Line]) -> str:
    """Rates of each line over the places of the horizontal axis, with their intervals."""
    top = max((rate.high for line in lines for rate in line.rates if rate), default=1.0)
    top = min(1.0, (int(top * 10) + 1) / 10)
    parts = [*_frame(title, places, axis, top)]
    for number, line in enumerate(lines):
        parts += _line(line, number, len(lines), len(places), top)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12">\n<title>{escape(title)}</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _frame(title: str, places: Sequence[str], axis: str, top: float) -> list[str]:
    parts = [_text(LEFT, 15, title, weight="bold")]
    for tenth in range(round(top * 10) + 1):
        y = _y(tenth / 10, top)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{10 * tenth} %", anchor="end"))
    for i, place in enumerate(places):
        parts.append(_text(_x(i, len(places)), HEIGHT - BOTTOM + 18, place, anchor="middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*parts, _text(middle, HEIGHT - 10, axis, anchor="middle")]


def _line(line: Line, number: int, lines: int, places: int, top: float) -> list[str]:
    """Beside one another where lines meet, so that no interval hides another."""
    colour, shift = COLOURS[number % len(COLOURS)], 5 * (number - (lines - 1) / 2)
    points = [
        (_x(i, places) + shift, rate) for i, rate in enumerate(line.rates) if rate is not None
    ]
    steps = " ".join(f"{x:.1f},{_y(rate.value, top):.1f}" for x, rate in points)
    parts = [f'<polyline points="{steps}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for x, rate in points:
        low, y, high = (_y(value, top) for value in (rate.low, rate.value, rate.high))
        parts.append(f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="{colour}"/>')
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"><title>'
            f"{escape(line.name)}: {rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}], n={rate.n}"
            "</title></circle>"
        )
    y, x = TOP + 18 * number + 10, WIDTH - RIGHT + 16
    parts.append(f'<path d="M{x} {y - 4}h18" stroke="{colour}" stroke-width="3"/>')
    return [*parts, _text(x + 24, y, line.name)]


def _x(place: int, places: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (place + 0.5) / places


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="#374151">{escape(text)}</text>'
    )
