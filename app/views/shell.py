"""Both pages in one Blocks. Everything they need is an argument; nothing is built at import."""

import gradio as gr

from app.i18n import DEFAULT, texts
from app.ports import ModelInfo
from app.services.ask import Ask
from app.services.dashboard import Dashboard
from app.views import ask as ask_page
from app.views import dashboard as dashboard_page

WAITING_LINE = 64
"""Questions that may wait for the model; more are told to come back."""


def build(ask: Ask, dashboard: Dashboard, info: ModelInfo) -> gr.Blocks:
    """Serve it with `launch_options()`."""
    words = texts(DEFAULT)
    demo: gr.Blocks
    with gr.Blocks(title=words("app.name"), analytics_enabled=False) as demo:
        ask_page.build(demo, ask, dashboard, info)
    with demo.route(words("nav.dashboard"), "/dashboard"):
        dashboard_page.build(demo, dashboard, info, ask.clock)
    demo.queue(max_size=WAITING_LINE, default_concurrency_limit=1)
    return demo
