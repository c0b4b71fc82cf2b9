"""Which of several budgets are worth having: none cheaper is as good. Pure."""

from collections.abc import Sequence


def efficient(points: Sequence[tuple[float, float]]) -> list[int]:
    """Places of the (cost, quality) that no other beats, cheapest first.

    A point is beaten by one that costs no more and is better, or costs less and is as good.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i))
    kept: list[int] = []
    for i in order:
        if not kept or points[i][1] > points[kept[-1]][1]:
            kept.append(i)
    return kept
