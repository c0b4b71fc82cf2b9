"""What every page begins with: the name, the ways to go, who one is; then model and budget."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.guarded import QUIET, forced_language, guarded, words
from app.presenters.frame import masthead
from app.views.acted import LISTEN
from app.views.who import Sessions

SETTLE = """masthead => {
  const said = /<header lang="([a-z]+)"/.exec(masthead);
  if (said) document.documentElement.lang = said[1];
  setTimeout(() => {
    const here = document.querySelector('#header nav.pages [aria-current]');
    if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 40;
  }, 200);
}"""
"""Screen readers and fonts go by the language of the document; Gradio sets it to the browser's.

On a phone the ways to go are wider than the page: the one that is gone is brought into view.
"""
WITH_TIME_ZONE = "(zone, ...rest) => [Intl.DateTimeFormat().resolvedOptions().timeZone, ...rest]"
IN_ZONE: dict[str, Any] = {"js": WITH_TIME_ZONE, **QUIET}
"""For a handler whose first input is a hidden textbox: it is given the reader's own time zone."""


@dataclass(frozen=True)
class Frame:
    """Fills the masthead of one page."""

    page: str
    sessions: Sessions

    @guarded
    def on_load(self, request: gr.Request) -> str:
        session = self.sessions(request)
        return masthead(self.page, session, words(request), forced_language(request))


def frame(page: gr.Blocks, name: str, sessions: Sessions) -> None:
    """The masthead, in the blocks that are open."""
    page.load(None, js=LISTEN, api_visibility="private")
    held = gr.HTML(elem_id="header", padding=False)
    filled = page.load(Frame(name, sessions).on_load, None, [held], **QUIET)
    filled.then(None, [held], js=SETTLE, api_visibility="private")


def header(_page: gr.Blocks) -> gr.HTML:
    """Where a page says which model answers and what is left of the budget."""
    return gr.HTML(elem_id="status-line", padding=False)
