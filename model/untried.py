"""Draws without replacement: a passage that did not stand is not written the same way again.

What failed is kept as a tree of tokens with the chance of each. A token then keeps of its chance
what does not lead to a failed writing, so a whole writing has the chance it had, given that it is
none of those. arXiv 2002.09067, section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Node:
    """Behind some tokens of a passage."""

    spent: float = 0.0
    """Of the chance to go on from here, in [0, 1], what leads to failed writings."""
    chances: dict[int, float] = field(default_factory=dict)
    """Of next tokens, as they were when last drawn here."""
    next: dict[int, "_Node"] = field(default_factory=dict)


@dataclass(slots=True)
class Untried:
    """Failed writings of one passage, and the one under way."""

    _root: _Node = field(default_factory=_Node)
    _under_way: list[tuple[int, float]] = field(default_factory=list)

    @property
    def spent(self) -> Mapping[int, float]:
        """By next token, the share of its chance that leads to failed writings only."""
        node: _Node | None = self._root
        for token, _ in self._under_way:
            node = node.next.get(token) if node else None
        return {token: after.spent for token, after in node.next.items()} if node else {}

    def drawn(self, token: int, chance: float) -> None:
        """The writing under way goes on with a token that had this chance, whatever was spent."""
        self._under_way.append((token, chance))

    def failed(self) -> None:
        """What was drawn since the passage's start did not stand; it begins again."""
        way = [self._root]
        for token, chance in self._under_way:
            way[-1].chances[token] = chance
            way.append(way[-1].next.setdefault(token, _Node()))
        way[-1].spent = 1.0
        for node in reversed(way[:-1]):
            lost = sum(node.chances[token] * after.spent for token, after in node.next.items())
            node.spent = min(1.0, lost)
        self._under_way.clear()
