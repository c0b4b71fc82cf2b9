"""One answer's text as its tokens come, and what each token was."""

from app.ports import Finish, TokenTrace
from model.hf import Prompter
from model.sampler import Token


class Writing:
    """Text of one answer as its tokens come; half a character waits for its other half."""

    def __init__(self, prompter: Prompter, checked: bool = False) -> None:
        """`checked`: a line may be taken back until it has ended."""
        self.prompter, self.checked = prompter, checked
        self.ids: list[int] = []
        self.text = ""
        self.finish, self.ended = Finish.LENGTH, False
        self.tokens: list[TokenTrace] = []
        self._shown, self._writing = 0, 1

    @property
    def changed(self) -> int:
        return sum(token.changed for token in self.tokens)

    def add(self, token: Token) -> str:
        """What may be shown now and was not before, if anything."""
        if self.text.endswith("\n"):
            self._writing = 1
        self.ids.append(token.id)
        self.ended = token.last
        text = self.prompter.text(self.ids)
        if text.endswith("�") and not token.last:
            text = self.text
        new, self.text = text[len(self.text) :], text
        self.tokens.append(self._traced(token, new))
        return self.rest(text.rfind("\n") + 1 if self.checked and not token.last else len(text))

    def back(self, kept: int) -> None:
        """A line did not stand: all behind the first tokens is written again."""
        del self.ids[kept:], self.tokens[kept:]
        self.text = self.prompter.text(self.ids)
        self._writing += 1

    def rest(self, until: int | None = None) -> str:
        """What was not shown yet."""
        new = self.text[self._shown : until]
        self._shown += len(new)
        return new

    def _traced(self, token: Token, text: str) -> TokenTrace:
        base = text if token.id == token.base_id else self.prompter.text([token.base_id])
        before, after = token.entropy_before or 0.0, token.entropy_after or 0.0
        return TokenTrace(text, base, token.nfe, token.changed, before, after, self._writing)
