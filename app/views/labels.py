"""Components whose words follow the reader's language.

Until a page has loaded they carry catalogue keys, which the browser translates; then the server
says them in the language it has chosen, so that `?lang=` rules over the browser.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import gradio as gr
from gradio.components import Component
from gradio.i18n import I18nData

from app.i18n import Texts

C = TypeVar("C", bound=Component)


class Labels:
    """Of one page. Makes its components and remembers how to say them again."""

    def __init__(self) -> None:
        self.components: list[Component] = []
        self._say: list[Callable[[Texts], dict[str, Any]]] = []

    def make(self, kind: type[C], keys: Mapping[str, str], **options: Any) -> C:
        """A component with properties from the catalogue: `{"label": "ask.question"}`."""
        given: dict[str, Any] = {name: I18nData(key) for name, key in keys.items()}
        component = kind(**given, **options)
        self._track(component, lambda texts: {name: texts(key) for name, key in keys.items()})
        return component

    def options(
        self,
        kind: type[C],
        label: str,
        names: Callable[[Texts], Sequence[tuple[str, str | int]]],
        first: Texts,
        **options: Any,
    ) -> C:
        """One of several, named by a presenter; in the words of `first` until the page loads."""
        given: dict[str, Any] = {"label": I18nData(label), "choices": names(first)}
        component = kind(**given, **options)
        self._track(component, lambda texts: {"label": texts(label), "choices": names(texts)})
        return component

    def choices(
        self,
        label: str,
        names: Callable[[Texts], Sequence[tuple[str, str | int]]],
        first: Texts,
        **options: Any,
    ) -> gr.Radio:
        return self.options(gr.Radio, label, names, first, **options)

    def html(self, render: Callable[[Texts], str], **options: Any) -> gr.HTML:
        """Fixed words in HTML, made by a presenter; blank until the page has loaded."""
        component = gr.HTML(**options)
        self._track(component, lambda texts: {"value": render(texts)})
        return component

    def fixed(self, render: Callable[[Texts], str]) -> None:
        """As html(), for words that nothing else changes: a page is not seen before it has them."""
        self.html(render, elem_classes="fixed", padding=False)

    def say(self, texts: Texts) -> list[dict[str, Any]]:
        """Updates of `components`, in order."""
        return [gr.update(**say(texts)) for say in self._say]

    def _track(self, component: Component, say: Callable[[Texts], dict[str, Any]]) -> None:
        self.components.append(component)
        self._say.append(say)
