"""Energy of the device, where the machine counts it: RAPL for the CPU, NVML for an NVIDIA GPU."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
Joules = Callable[[], float | None]
"""Used since the meter began; None where the machine does not say."""


def meter(device: str, powercap: Path = POWERCAP) -> tuple[Joules, str]:
    """A meter for a device, and what it reads or why there is none."""
    if device.startswith("cuda"):
        return _nvml(int(device.partition(":")[2] or 0))
    packages = sorted(p for p in powercap.glob("intel-rapl:*") if p.name.count(":") == 1)
    try:
        counters = [_Counter(package) for package in packages]
    except (OSError, ValueError) as err:
        return _none, f"RAPL cannot be read: {err}"
    if not counters:
        return _none, "this machine has no RAPL counters"
    return (lambda: sum(c.joules() for c in counters)), f"RAPL, {len(counters)} packages"


def _none() -> float | None:
    return None


@dataclass
class _Counter:
    """One package: microjoules that begin again at a limit."""

    folder: Path
    _last: int = field(init=False)
    _total: int = field(default=0, init=False)
    _wrap: int = field(init=False)

    def __post_init__(self) -> None:
        self._wrap = self._read("max_energy_range_uj") + 1
        self._last = self._read("energy_uj")

    def joules(self) -> float:
        now = self._read("energy_uj")
        self._total += (now - self._last) % self._wrap
        self._last = now
        return self._total / 1e6

    def _read(self, name: str) -> int:
        return int((self.folder / name).read_text(encoding="ascii"))


def _nvml(index: int) -> tuple[Joules, str]:
    try:
        import pynvml
    except ImportError:
        return _none, "NVML needs the package nvidia-ml-py"
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        begin = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError as err:
        return _none, f"NVML cannot be read: {err}"
    total = pynvml.nvmlDeviceGetTotalEnergyConsumption
    return (lambda: (total(handle) - begin) / 1e3), "NVML"
