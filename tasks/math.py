"""The math domain: word problems about goods and money, and plain arithmetic."""

from __future__ import annotations

from tasks.arithmetic import ARITHMETIC
from tasks.goods import GOODS
from tasks.money import MONEY
from tasks.types import Kind, worded
from tasks.wordings_math import MATH_WORDINGS

MATH: tuple[Kind, ...] = worded(GOODS + MONEY + ARITHMETIC, MATH_WORDINGS)
