"""Matrices in the forms that the compiled products read."""

from typing import NamedTuple

import torch
from torch import Tensor

from kernels.tiles import BFLOAT, BLOCK, EIGHT, FOUR, LANED_EIGHT, LANED_FOUR, LANES
from kernels.unit import DOTS
from model import published

_LANED = (LANED_EIGHT, LANED_FOUR)


class Matrix(NamedTuple):
    """Weights (n, K) in one of the forms of kernels.tiles."""

    form: int
    data: Tensor
    """bfloat16 (n, K), or blocks as bytes, uint8 (n, bytes of a row); of 16 rows where laned."""

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
    def eight(cls, weight: Tensor) -> "Matrix":
        """The same as this processor multiplies them fastest."""
        return cls.rounded(weight).fastest()

    @classmethod
    def published(cls, blocks: Tensor, K: int) -> "Matrix":
        """Of the blocks of model.published, not copied."""
        eight = blocks.shape[1] == K // published.BLOCK * published.EIGHT
        return cls(EIGHT if eight else FOUR, blocks)

    @property
    def rows(self) -> int:
        """n."""
        return len(self.data) * (LANES if self.form in _LANED else 1)

    def fastest(self) -> "Matrix":
        """The same numbers as this processor multiplies them fastest."""
        return self.laned() if DOTS else self

    def laned(self) -> "Matrix":
        """The same numbers with 16 rows side by side, for kernels.digits.

        As it is where it has no blocks, or no whole sixteens of rows.
        """
        n = len(self.data)
        if self.form not in (EIGHT, FOUR) or n % LANES:
            return self
        size = published.EIGHT if self.form == EIGHT else published.FOUR
        each = self.data.unflatten(1, (-1, size)).unflatten(0, (-1, LANES)).transpose(1, 2)
        if self.form == EIGHT:
            scales = each[..., :4].flatten(2)
            q = each[..., 4:] ^ 128  # without a sign: 128 more
        else:
            # d and m were published as float16, and go back to it exactly
            pairs = each[..., :8].contiguous().view(torch.float32)  # (groups, blocks, 16, 2)
            halves = pairs.half()
            if not torch.equal(halves.float(), pairs):
                return self
            scales = halves.transpose(2, 3).contiguous().view(torch.uint8).flatten(2)
            q = each[..., 8:]
        fours = q.unflatten(3, (-1, 4)).transpose(2, 3).flatten(2)
        form = LANED_EIGHT if self.form == EIGHT else LANED_FOUR
        return Matrix(form, torch.cat([scales, fours], dim=2).flatten(1))

    @property
    def address(self) -> int:
        return self.data.data_ptr()

    def numbers(self, K: int) -> Tensor:
        """What it holds, (n, K) float32."""
        if self.form == BFLOAT:
            return self.data.float()
        if self.form not in _LANED:
            return published.numbers(self.data, K)
        each, head = self.data.unflatten(1, (K // BLOCK, -1)), 4 * LANES
        fours = each[..., head:].unflatten(2, (-1, LANES, 4)).transpose(2, 3).flatten(3)
        if self.form == LANED_EIGHT:
            q = (fours ^ 128).view(torch.int8)
            d, m = each[..., :head].contiguous().view(torch.float32)[..., None], 0.0
        else:
            q = torch.cat([fours & 15, fours >> 4], dim=3)
            scales = each[..., :head].contiguous().view(torch.float16).float()
            d, m = scales.unflatten(2, (2, LANES))[..., None].unbind(2)
        lanes: Tensor = d * q + m
        return lanes.transpose(1, 2).flatten(2).flatten(0, 1)
