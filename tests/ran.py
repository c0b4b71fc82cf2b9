"""How many storage tests ran on which database: counted in each worker, said once by the first process."""

from collections import Counter

RAN: Counter[str] = Counter()
