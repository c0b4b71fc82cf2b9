"""Buttons inside HTML that a presenter made: what was pressed reaches Python as data."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

_ON_LOAD = """
element.addEventListener('click', event => {
  const pressed = event.target.closest('[data-do]');
  if (pressed && !pressed.disabled) trigger('click', {...pressed.dataset});
});
"""


def pressable(**options: Any) -> gr.HTML:
    """`click` tells of elements with `data-do`, and nothing of clicks beside them."""
    return gr.HTML(js_on_load=_ON_LOAD, padding=False, **options)


def pressed(event: gr.EventData) -> Mapping[str, str]:
    """What was pressed: its `do` and its other `data-` attributes, all of them strings.

    They come from a browser, so they name things and prove nothing.
    """
    data = event._data if isinstance(event._data, dict) else {}
    return {name: str(value) for name, value in data.items()}
