"""The Audit page: the log with filters, the state of its chain, exports."""

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import gradio as gr

from app.guarded import QUIET, guarded, words, zone_of
from app.i18n import DEFAULT, texts
from app.ports import AuditFilter
from app.presenters import audit as show
from app.services.audit import Audit, Format
from app.views import top
from app.views.labels import Labels
from app.views.who import Sessions
from policies.roles import Action, may

SHOWN = 100
"""Entries on the page; an export has all."""
FILE = "audit-log"
Updates = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Filters:
    by: gr.Textbox
    area: gr.Dropdown
    subject: gr.Textbox
    days: gr.Dropdown

    @property
    def all(self) -> list[Any]:
        return [self.by, self.area, self.subject, self.days]


@dataclass(frozen=True)
class AuditHandlers:
    audit: Audit
    sessions: Sessions
    labels: Labels

    @guarded
    def on_load(self, request: gr.Request) -> Updates:
        """The fixed words, then the chain, not looked at yet."""
        said = words(request)
        return *self.labels.say(said), show.unchecked(said)

    @guarded
    def on_list(
        self, zone_name: str, by: str, area: str, subject: str, days: int, request: gr.Request
    ) -> Any:
        said, actor = words(request), self.sessions(request).actor
        if not may(actor, Action.READ_AUDIT):
            return gr.skip()
        found = self.audit.latest(actor, self._filter(by, area, subject, days), SHOWN)
        reader = zone_of(zone_name, request)
        return show.entries(found, self.audit.currency(), SHOWN, reader, said)

    @guarded
    def on_check(self, zone_name: str, request: gr.Request) -> Any:
        said, actor = words(request), self.sessions(request).actor
        if not may(actor, Action.READ_AUDIT):
            return gr.skip()
        broken, head = self.audit.verify()
        return show.chain(broken, head, self.audit.clock(), zone_of(zone_name, request), said)

    @guarded
    def on_export(
        self, form: str, by: str, area: str, subject: str, days: int, request: gr.Request
    ) -> Any:
        """A file with every entry that the filters take, oldest first."""
        actor, kind = self.sessions(request).actor, Format(form)
        lines = self.audit.export(actor, self._filter(by, area, subject, days), kind)
        file = Path(tempfile.mkdtemp()) / f"{FILE}.{kind.value}"
        with file.open("w", encoding="utf-8", newline="") as out:
            out.writelines(lines)
        return gr.update(value=str(file), visible=True)

    def _filter(self, by: str, area: str, subject: str, days: int) -> AuditFilter:
        since = self.audit.clock() - timedelta(days=int(days)) if days else None
        only = show.AREAS.get(area, ())
        return AuditFilter((by or "").strip(), only, (subject or "").strip(), since)


def build(page: gr.Blocks, audit: Audit, sessions: Sessions) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    reader = gr.Textbox(visible=False)
    labels.fixed(show.top)
    with gr.Column(elem_classes="sheet"), gr.Row():
        chain = gr.HTML(elem_id="chain", padding=False)
        check = labels.make(gr.Button, {"value": "audit.check"}, scale=0, elem_id="check")
    filters = _filters(labels)
    with gr.Row(elem_id="exports"):
        form = gr.Radio(
            choices=[(Format.CSV.name, Format.CSV.value), ("JSON Lines", Format.JSONL.value)],
            value=Format.CSV.value,
            show_label=False,
            container=False,
            elem_id="export-form",
        )
        export = labels.make(gr.Button, {"value": "audit.export"}, scale=0, elem_id="export")
        saved = labels.make(
            gr.DownloadButton, {"label": "audit.save"}, visible=False, scale=0, elem_id="save"
        )
    with gr.Column(elem_classes="sheet"):
        log = gr.HTML(elem_id="log", padding=False)
    handlers = AuditHandlers(audit, sessions, labels)
    page.load(handlers.on_load, None, [*labels.components, chain], **QUIET)
    given = [reader, *filters.all]
    # `input` of a textbox is told of keys alone, not of what is pasted.
    changes = [filters.by.change, filters.area.input, filters.subject.change, filters.days.input]
    gr.on(
        [page.load, *changes], handlers.on_list, given, [log], trigger_mode="always_last",
        **top.IN_ZONE,
    )  # fmt: skip
    busy: dict[str, Any] = top.IN_ZONE | {"show_progress": "minimal"}
    check.click(handlers.on_check, [reader], [chain], trigger_mode="once", **busy)
    export.click(handlers.on_export, [form, *filters.all], [saved], trigger_mode="once", **QUIET)


def _filters(labels: Labels) -> _Filters:
    first = texts(DEFAULT)
    with gr.Row(elem_id="audit-filters"):
        by = labels.make(
            gr.Textbox, {"label": "audit.by"}, max_lines=1, min_width=140, elem_id="audit-by"
        )
        area = labels.options(
            gr.Dropdown, "audit.area", show.areas, first, value="", min_width=140, elem_id="area"
        )
        subject = labels.make(
            gr.Textbox, {"label": "audit.subject"}, max_lines=1, min_width=140, elem_id="subject"
        )
        days = labels.options(
            gr.Dropdown, "audit.period", show.periods, first, value=0, min_width=140, elem_id="days"
        )
    return _Filters(by, area, subject, days)
