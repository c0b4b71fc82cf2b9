"""List prices beside what the device cost: by its use, and with the time it stood idle. Pure."""

from dataclasses import dataclass

from policies.calibrate import DeviceCost, cost_of


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One time span on two bases. Nanos of one currency; shares are of 1, None without a base."""

    charged_nanos: int
    """Units at list prices: what budgets were charged."""
    used_nanos: int
    """Metered seconds of the device at its cost, with energy where that is paid for apart."""
    owned_nanos: int
    """The whole span at the cost of the device, busy or not, with the same energy."""
    busy_seconds: float
    span_seconds: float

    @property
    def idle_share(self) -> float:
        """Of the span. Shared passes are split among their answers, so busy time adds up."""
        return max(0.0, 1.0 - self.busy_seconds / self.span_seconds)

    @property
    def charged_of_used(self) -> float | None:
        """Above 1 the list prices cover the use; below, they are too low for this machine."""
        return self.charged_nanos / self.used_nanos if self.used_nanos else None

    @property
    def charged_of_owned(self) -> float | None:
        """How much of the device's whole cost the list prices bring in."""
        return self.charged_nanos / self.owned_nanos if self.owned_nanos else None


def reconcile(
    charged_nanos: int,
    busy_seconds: float,
    span_seconds: float,
    cost: DeviceCost,
    watts: float = 0.0,
) -> Reconciliation:
    """`watts` are those of the device at work; an idle device is charged no energy."""
    if span_seconds <= 0:
        raise ValueError(f"a span is longer than nothing, got {span_seconds} seconds")
    used = cost_of(busy_seconds, cost, watts)
    energy = used - cost_of(busy_seconds, DeviceCost(cost.hour_nanos))
    owned = cost_of(span_seconds, DeviceCost(cost.hour_nanos)) + energy
    return Reconciliation(charged_nanos, used, owned, busy_seconds, span_seconds)
