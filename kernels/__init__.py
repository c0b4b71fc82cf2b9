"""Compiled passes for CPUs. Compiled once, kept under the cache folder of the user.

Kept by a hash of these sources: numba itself notices a change in one file only.
"""

import hashlib
import os
from pathlib import Path

import numba

from kernels.unit import AVAILABLE


def _keep_compiled() -> bool:
    """Whether compiled code can be kept; where nothing can be written it is made at every start."""
    here = Path(__file__).parent
    # sizes of blocks come from where their file is read
    sources = [*sorted(here.glob("*.py")), here.parent / "model" / "published.py"]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:16]
    above = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    # without the unit other code is compiled, and the next process may have it
    folder = above / "l2d-pilot" / f"kernels-{digest}{'-amx' if AVAILABLE else ''}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    numba.config.CACHE_DIR = str(folder)
    return os.access(folder, os.W_OK)


KEPT = _keep_compiled()
