"""Which of the faster ways to multiply this processor has, and this process may use."""

import ctypes
import platform

import llvmlite.binding as llvm

_SYSCALL, _REQUEST, _TILE_DATA = 158, 0x1023, 18
"""arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA): Linux lets a process use the unit when asked."""


def _available() -> bool:
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        return False
    features = llvm.get_host_cpu_features()
    if not all(features.get(name) for name in ("amx-tile", "amx-bf16", "avx512bw")):
        return False
    return int(ctypes.CDLL(None).syscall(_SYSCALL, _REQUEST, _TILE_DATA)) == 0


def _have(*wanted: str) -> bool:
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    features = llvm.get_host_cpu_features()
    return all(features.get(name) for name in wanted)


AVAILABLE = _available()
"""The matrix unit (AMX) of newer x86 processors."""
BYTE_DOTS = _have("avx512vnni", "avx512bw", "avx512vl")
"""Dot products of bytes (VNNI): Intel's servers since 2019, AMD's processors since Zen 4."""
DOTS = not AVAILABLE and (BYTE_DOTS or _have("avx2", "fma", "f16c"))
"""Products of whole numbers (kernels.dots), where the unit is not to be had."""
