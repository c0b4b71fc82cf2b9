"""The straight path between noise x_0 and a token's row x_1 of the flow table.

x_t = (1-t) x_0 + t x_1, t in [0,1]; arXiv 2501.15781, section 3. Pure functions of tensors; no
network, no solver.
"""

import torch
from torch import Tensor


def interpolate(x_0: Tensor, x_1: Tensor, t: Tensor) -> Tensor:
    """x_t, in the dtype of its inputs. x_0, x_1 (..., d); t (...) without the last axis."""
    t = t[..., None]
    return (1 - t) * x_0 + t * x_1


def velocity(x_1_hat: Tensor, x_t: Tensor, t: float) -> Tensor:
    """v = (x_1_hat - x_t) / (1 - t), the flow that ends at x_1_hat. t in [0, 1): singular at 1."""
    if not 0.0 <= t < 1.0:
        raise ValueError(f"velocity is defined for t in [0, 1), got {t}")
    return (x_1_hat - x_t) / (1.0 - t)


def entry_scale(t: Tensor, noise_scale: float) -> Tensor:
    """sqrt((1-t)^2 sigma^2 + t^2): what x_t is divided by, so that its entries stay near one."""
    return torch.sqrt((1 - t) ** 2 * noise_scale**2 + t**2)
