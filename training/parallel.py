"""The processes of one run: torchrun and `accelerate launch` start them, here they meet and add up.

Each holds the whole path and does its share of every step. Alone, nothing here does anything.
"""

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn


def join() -> tuple[int, int]:
    """Meet the others; this process's number, and that on its machine: which GPU is its own."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group()  # gloo for tensors on the CPU, NCCL for those on GPUs
    return rank_and_count()[0], int(os.environ.get("LOCAL_RANK", "0"))


def leave() -> None:
    """After the last step of all processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank_and_count() -> tuple[int, int]:
    """Number 0 writes, reports and keeps the clock."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def add_up(parameters: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
    """Every process gets the sums of all gradients; returns the sum of the losses."""
    if dist.is_initialized():
        owners = list(parameters)
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in owners]
        flat = torch.cat([*(g.flatten() for g in grads), loss.reshape(1)])
        dist.all_reduce(flat)
        *sums, loss = flat.split([*(g.numel() for g in grads), 1])
        for owner, part in zip(owners, sums, strict=True):
            owner.grad = part.view_as(owner)
    return loss


def agreed(answer: bool, device: torch.device) -> bool:
    """What process 0 says: clocks differ, and all must take the same turn."""
    said = torch.tensor(int(answer), device=device)
    if dist.is_initialized():
        dist.broadcast(said, src=0)
    return bool(said)
