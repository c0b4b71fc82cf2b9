"""What a reviewer and a requester wrote to each other. Text is escaped here."""

from collections.abc import Sequence
from datetime import tzinfo
from html import escape

from app.i18n import Texts
from app.ports import Message
from app.presenters.parts import minute, person


def messages(said: Sequence[Message], reader: tzinfo, texts: Texts) -> str:
    """As a list in their order."""
    items = "".join(
        f'<li class="item"><div><p>{escape(m.text)}</p><p class="note">'
        f"{escape(person(m.by, texts))} · {escape(minute(m.at, reader, texts))}</p></div></li>"
        for m in said
    )
    return f'<ul class="items">{items}</ul>'
