"""All pages in one Blocks. Everything they need is an argument; nothing is built at import."""

import os
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.i18n import DEFAULT, texts
from app.ports import ModelInfo
from app.services.accounts import People
from app.services.ask import Ask
from app.services.audit import Audit
from app.services.budgets import Budgets
from app.services.dashboard import Dashboard
from app.services.drafts import Drafts
from app.services.own_account import OwnAccount
from app.services.reviewing import Reviewing
from app.services.side_by_side import SideBySide
from app.views import ask as ask_page
from app.views import audit as audit_page
from app.views import budgets as budgets_page
from app.views import compare as compare_page
from app.views import dashboard as dashboard_page
from app.views import policy as policy_page
from app.views import review as review_page
from app.views import settings as settings_page
from app.views.top import frame
from app.views.who import Sessions

WAITING_LINE = 64
"""Questions that may wait for the model; more are told to come back."""
_NEVER = 2**62
"""So many events until Gradio sums up how long they took; nobody may read that here."""


@dataclass(frozen=True, slots=True)
class Desks:
    """The services that pages speak to."""

    ask: Ask
    dashboard: Dashboard
    budgets: Budgets
    drafts: Drafts
    reviewing: Reviewing
    audit: Audit
    people: People
    own: OwnAccount


class Pages(gr.Blocks):
    """Blocks whose browser is told of no other pages: the masthead has the ways to them.

    Told of them, Gradio shows ways of its own, in English, until the style is there.
    """

    def get_config_file(self) -> Any:
        config = super().get_config_file()
        config["pages"] = config["pages"][:1]
        return config


def build(desks: Desks, info: ModelInfo, sessions: Sessions) -> gr.Blocks:
    """Serve it with `launch_options()`."""
    words = texts(DEFAULT)
    # Read where a queue is made. By default it goes through all its latest events after each one.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(_NEVER)
    demo: gr.Blocks
    with Pages(title=words("app.name"), analytics_enabled=False) as demo:
        frame(demo, "ask", sessions)
        ask_page.build(demo, desks.ask, desks.dashboard, desks.reviewing.waiting, info, sessions)
    with demo.route(words("nav.dashboard"), "/dashboard"):
        frame(demo, "dashboard", sessions)
        dashboard_page.build(demo, desks.dashboard, info, sessions)
    with demo.route(words("nav.budgets"), "/budgets"):
        frame(demo, "budgets", sessions)
        budgets_page.build(demo, desks.budgets, info, sessions)
    with demo.route(words("nav.policy"), "/policy"):
        frame(demo, "policy", sessions)
        policy_page.build(demo, desks.drafts, sessions)
    with demo.route(words("nav.review"), "/review"):
        frame(demo, "review", sessions)
        review_page.build(demo, desks.reviewing, sessions)
    with demo.route(words("nav.audit"), "/audit"):
        frame(demo, "audit", sessions)
        audit_page.build(demo, desks.audit, sessions)
    with demo.route(words("nav.compare"), "/compare"):
        frame(demo, "compare", sessions)
        compare_page.build(demo, SideBySide(desks.ask), sessions)
    with demo.route(words("nav.settings"), "/settings"):
        frame(demo, "settings", sessions)
        settings_page.build(demo, desks.own, desks.people, sessions)
    demo.queue(max_size=WAITING_LINE, default_concurrency_limit=1)
    return demo
