"""Whether this process may use the matrix unit (AMX) of newer x86 processors."""

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


AVAILABLE = _available()
