"""How the evaluations of a cap are spent: the flags of `evaluate` that are kept in a suite's name.

Where they tell whether a measurement is one of a rung, and what is typed to have it again.
"""

import re
from collections.abc import Collection

from app.ports import Measurement
from policies.types import Importance, Rung, Solver

PLAIN = {
    "solver": Solver.EULER,
    "guidance": 1.0,
    "gate": None,
    "steady": None,
    "candidates": 1,
    "temperature": 0.0,
    "checked": False,
}
"""How a cap is spent unless `evaluate` is told otherwise."""


def flags(of: object) -> str:
    """What sets a rung, or what was typed, apart from a plain one of the same cap; as typed."""
    values = ((name, getattr(of, name), plain) for name, plain in PLAIN.items())
    return "".join(
        f" --{name}" if value is True else f" --{name} {value}"
        for name, value, plain in values
        if value != plain
    )


def suite_of(measurement: Measurement) -> str:
    """Without flags."""
    return measurement.suite.partition(" --")[0]


def _said(measurement: Measurement) -> str:
    """The flags alone."""
    return "".join(measurement.suite.partition(" --")[1:])


def command(measurements: Collection[Measurement]) -> str:
    """`evaluate` that measures the points of one curve again; rungs of the policy bring flags."""
    last = max(measurements, key=lambda m: m.measured_at)
    more = "" if all(m.importance for m in measurements) else _said(last)
    budgets = f"{at(measurements)}{more}"
    return f"python app.py evaluate --suite {suite_of(last)} {budgets} --seed {last.seed}"


def at(measurements: Collection[Measurement]) -> str:
    """The flag of `evaluate` that names the budgets of these."""
    rungs = [i.value for i in Importance if any(m.importance is i for m in measurements)]
    if all(m.importance for m in measurements):
        return f"--importance {','.join(rungs)}"
    budgets = sorted({m.budget for m in measurements})
    return f"--budgets {','.join(map(str, budgets))}"


def measures(measurement: Measurement, rung: Rung) -> bool:
    """Whether what was measured is what the rung buys."""
    return measurement.budget == rung.max_nfe_per_token and spends(rung, _said(measurement))


def spends(rung: Rung, said: str) -> bool:
    """Whether the rung is what `evaluate` makes of its cap under these flags.

    A base rung has nothing but its cap and the length of its answers. At a cap of 1 a line is
    written once, of the most likely words, whether or not it is checked.
    """
    if rung.points is not None or rung.tolerance is not None:
        return False  # `evaluate` takes the finest grid and the engine's own tolerance
    if rung.solver is Solver.BASE:
        return " --max-new-tokens" not in said
    own, once = flags(rung), rung.max_nfe_per_token == 1
    return own == said or (once and _unchecked(own) == _unchecked(said))


def _unchecked(said: str) -> str:
    """The same without a check, and without the temperature that only lines written again have."""
    if " --checked" not in said:
        return said
    return re.sub(r" --temperature \S+| --checked", "", said)
