"""How many storage tests ran on which database: counted in each process, said by the first."""

from collections import Counter

RAN: Counter[str] = Counter()
