"""The form beside a draft's text: fields in HTML, told to Python all together.

All together, so that two quick changes never undo each other; the text is what counts.
"""

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.guarded import explain, guarded, words
from app.presenters import policy_form as show
from app.presenters.parts import notice
from app.views.press import pressed
from app.views.who import Sessions
from policies.edited import changed, with_rule, without_rule
from policies.errors import InvalidInput, PilotError

Updates = tuple[Any, ...]
WAIT_MS = 400
_ON_LOAD = """
const typed = field => field.matches('fieldset')
  ? [...field.querySelectorAll('input:checked')].map(box => box.value).join('\\n') : field.value;
const fields = () => JSON.stringify(
  [...element.querySelectorAll('[data-path]')].map(field => [field.dataset.path, typed(field)]));
const tell = what => {
  clearTimeout(waiting);
  // What was just typed is not in the text yet, so the text is neither tried nor proposed yet.
  document.querySelectorAll('#draft-try, #draft-propose').forEach(b => { b.disabled = true; });
  trigger('input', {...what, fields: fields()});
};
let waiting;
element.addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => tell({}), WAIT_MS);
});
element.addEventListener('change', () => tell({}));
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-do]');
  if (button) tell({...button.dataset});
});
""".replace("WAIT_MS", str(WAIT_MS))
ENABLE = """() => {
  document.querySelectorAll('#draft-try, #draft-propose').forEach(b => { b.disabled = false; });
}"""


def form() -> gr.HTML:
    return gr.HTML(js_on_load=_ON_LOAD, elem_id="draft-form", padding=False)


@dataclass(frozen=True)
class FormHandlers:
    sessions: Sessions

    @guarded
    def on_text(self, text: str, request: gr.Request) -> str:
        """The form for a text that was typed or opened."""
        self.sessions(request)
        return show.form(text or "", words(request))

    @guarded
    def on_form(self, text: str, request: gr.Request, event: gr.EventData) -> Updates:
        """Text, form, notice. The form stays where only a value changed: someone types in it."""
        self.sessions(request)
        said, what = words(request), pressed(event)
        try:
            after = changed(text or "", _fields(what.get("fields", "")))
            if what.get("do") == "add":
                after = with_rule(after)
            elif what.get("do") == "remove":
                after = without_rule(after, int(what.get("rule", "-1")))
            else:
                return after, gr.skip(), ""
        except PilotError as err:
            return gr.skip(), gr.skip(), notice(explain(err, said))
        return after, show.form(after, said), ""


def _fields(told: str) -> list[tuple[str, str]]:
    """They come from a browser: pairs of strings, or nothing that a form sends."""
    try:
        return [(str(path), str(typed)) for path, typed in json.loads(told)]
    except (ValueError, TypeError) as err:
        raise InvalidInput("this is no form") from err
