"""Matrices in the forms that the compiled products read."""

from typing import NamedTuple

import torch
from torch import Tensor

from kernels.tiles import BFLOAT, EIGHT, FOUR
from model import published


class Matrix(NamedTuple):
    """Weights (n, K) in one of the forms of kernels.tiles."""

    form: int
    data: Tensor
    """bfloat16 (n, K), or blocks as bytes, uint8 (n, bytes of a row)."""

    @classmethod
    def of(cls, weight: Tensor) -> "Matrix":
        """As it is, in bfloat16."""
        return cls(BFLOAT, weight.bfloat16().contiguous())

    @classmethod
    def rounded(cls, weight: Tensor) -> "Matrix":
        """To eight bits: each block of 32 in whole steps of a 127th of its largest weight."""
        blocks = weight.float().unflatten(1, (-1, published.BLOCK))
        scales = blocks.abs().amax(dim=2, keepdim=True).clamp(min=1e-12) / 127
        whole = (blocks / scales).round().to(torch.int8)
        octets = [part.contiguous().view(torch.uint8) for part in (scales, whole)]
        return cls(EIGHT, torch.cat(octets, dim=2).flatten(1))

    @classmethod
    def published(cls, blocks: Tensor, K: int) -> "Matrix":
        """Of the blocks of model.published, not copied."""
        eight = blocks.shape[1] == K // published.BLOCK * published.EIGHT
        return cls(EIGHT if eight else FOUR, blocks)

    @property
    def address(self) -> int:
        return self.data.data_ptr()

    def numbers(self, K: int) -> Tensor:
        """What it holds, (n, K) float32."""
        return self.data.float() if self.form == BFLOAT else published.numbers(self.data, K)
