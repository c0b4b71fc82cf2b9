"""Three steps for who opens the page for the first time; the browser remembers them as seen."""

from html import escape

from app.i18n import Texts

STEPS = {"question": "#question", "importance": "#importance", "send": "#send-row"}
"""What each step is about, and the part of the page that it points at."""


def tour(texts: Texts) -> str:
    """All steps, none of them shown until the page says which."""
    last = len(STEPS)
    steps = "".join(
        f'<div data-step data-target="{target}" hidden>'
        f'<p class="label">{escape(texts("tour.step", step=i, of=last))}</p>'
        f"<h3>{escape(texts(f'tour.{name}'))}</h3><p>{escape(texts(f'tour.{name}_text'))}</p>"
        f'<div class="buttons"><button type="button" class="small primary" data-tour="next">'
        f"{escape(texts('tour.done' if i == last else 'tour.next'))}</button>"
        f"{_skip(texts) if i < last else ''}</div></div>"
        for i, (name, target) in enumerate(STEPS.items(), start=1)
    )
    title = escape(texts("tour.title"))
    return f'<div class="tour" role="dialog" aria-label="{title}" hidden>{steps}</div>'


def _skip(texts: Texts) -> str:
    words = escape(texts("tour.skip"))
    return f'<button type="button" class="small" data-tour="skip">{words}</button>'
