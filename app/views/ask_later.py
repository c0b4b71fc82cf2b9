"""What can be done with an answer once it is there: look into it, ask for more, rate, reopen."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.guarded import explain, guarded, words, zone_of
from app.i18n import Texts
from app.ports import AnswerRow
from app.presenters import ask as show
from app.presenters import mine, tokens
from app.presenters.card import card
from app.presenters.difference import side_by_side
from app.presenters.parts import notice
from app.services.ask import Ask, AskForm, Preview, Receipt
from app.services.mine import Mine
from app.views.press import pressed
from app.views.state import Form
from app.views.who import Sessions
from policies.errors import InvalidInput, PilotError
from policies.review import withheld
from policies.roles import Action, Actor, may
from policies.types import Importance

Updates = tuple[Any, ...]


@dataclass(frozen=True)
class LaterHandlers:
    ask: Ask
    mine: Mine
    sessions: Sessions

    @guarded
    def on_tokens(self, form: Form, request: gr.Request) -> str:
        trace = self.mine.trace(self._actor(request), form.answer_id)
        return tokens.tokens(trace, words(request))

    @guarded
    def on_more(self, form: Form, request: gr.Request) -> Updates:
        """Question, importance, domain, form: the same once more at the next importance."""
        actor = self._actor(request)
        nothing = gr.skip(), gr.skip(), gr.skip(), Form(halted=True, answer_id=form.answer_id)
        if not form.answer_id:
            return nothing
        receipt = self.mine.read(actor, form.answer_id)
        higher = next_higher(self.ask, actor, receipt)
        if higher is None:
            return nothing
        row, importance = receipt.row, higher[0]
        again = Form(answer_id=row.id, before=row.id, seed=row.seed, again=True)
        return receipt.text.question, importance, row.domain, again

    @guarded
    def on_up(self, form: Form, request: gr.Request) -> str:
        self.ask.rate(self._actor(request), form.answer_id, 1)
        return show.thanks(words(request))

    @guarded
    def on_down(self, form: Form, request: gr.Request) -> str:
        self.ask.rate(self._actor(request), form.answer_id, -1)
        return show.thanks(words(request))

    @guarded
    def on_search(self, zone_name: str, said: str, request: gr.Request) -> str:
        actor = self._actor(request)
        if not may(actor, Action.READ_OWN):
            return ""  # there is nothing of theirs: they may not ask
        try:
            found = self.mine.search(actor, said or "")
        except InvalidInput as err:
            return notice(explain(err, words(request)))
        return mine.found(found, said or "", zone_of(zone_name, request), words(request))

    @guarded
    def on_open(self, request: gr.Request, event: gr.EventData) -> Updates:
        """All that `shown` has, then notice, question, importance, domain."""
        receipt, told = self.shown(pressed(event).get("id", ""), request)
        row = receipt.row
        return *told, "", receipt.text.question, row.asked, row.domain

    def shown(self, answer_id: str, request: gr.Request) -> tuple[Receipt, Updates]:
        """And answer, meter, card, form, the rest: an answer as it is now. Raises NotFound.

        The form's own fields are not among them: another question may be half written there.
        """
        texts, actor = words(request), self._actor(request)
        receipt = self.mine.read(actor, answer_id)
        text, row = receipt.text, receipt.row
        answer = show.question(text.question) + show.answer(text.answer, False, texts, row.status)
        rest = rest_of(self.ask, actor, receipt, None, texts)
        return receipt, (answer, "", card(receipt, texts), Form(answer_id=row.id), *rest)

    def _actor(self, request: gr.Request) -> Actor:
        return self.sessions(request).actor


def rest_of(
    ask: Ask, actor: Actor, receipt: Receipt, before: Receipt | None, texts: Texts
) -> Updates:
    """Difference, what can be done now, the button for more, no token view yet, no thanks yet."""
    open_ = not withheld(receipt.row)
    higher = next_higher(ask, actor, receipt) if open_ else None
    more = gr.update(visible=False)
    if higher:
        more = gr.update(visible=True, value=show.again(*higher, texts))
    both = side_by_side(before, receipt, texts) if before and open_ and _whole(receipt.row) else ""
    return both, gr.update(visible=open_), more, "", ""


def next_higher(ask: Ask, actor: Actor, receipt: Receipt) -> tuple[Importance, Preview] | None:
    """The next importance that may spend more on a word, and what it would cost at most."""
    row = receipt.row
    for importance in Importance:
        if importance.rank <= row.granted.rank:
            continue
        try:
            form = AskForm(receipt.text.question, importance, row.domain, row.seed)
            preview = ask.preview(actor, form)
        except PilotError:
            return None  # it may not be asked now: why is said where questions are typed
        if preview.decision.plan.rung.max_nfe_per_token > row.nfe_cap_per_token:
            return importance, preview
    return None


def _whole(row: AnswerRow) -> bool:
    """Stopped halfway, it cannot be compared."""
    return row.status == "released"
