"""Times of the reference code, in its own environment. CHECKOUT FOLDER; see reference_speed.py.

For every line that comes "ms" and the milliseconds of one evaluation, batch 1, in bfloat16: what
a token at 9 points takes more than one at 2, by 7.
"""

import json
import sys
import time
from pathlib import Path

import torch
from reference_side import Place, build

FEW, MANY = 2, 9


@torch.no_grad()
def main(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text())
    torch.set_num_threads(job["threads"])
    model = build(job).to(torch.bfloat16)
    place = Place(model, torch.tensor([job["prompt"]]))
    x_0 = torch.randn(1, 1, job["path"]["flow_representation_dim"]) * job["path"]["noise_rescaling"]

    def seconds(points: int) -> float:
        began = time.perf_counter()
        place.refine({"method": "euler", "ode_steps": points}, x_0, None)
        return time.perf_counter() - began

    seconds(FEW)
    for _ in sys.stdin:
        sys.stdout.write(f"ms {1000 * (seconds(MANY) - seconds(FEW)) / (MANY - FEW)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[2]))
