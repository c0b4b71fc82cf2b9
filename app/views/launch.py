"""How the pages are served: style, words, what Gradio may add, and the gate in front of it all."""

import warnings
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from gradio.routes import App
from starlette.routing import Mount

from app.i18n import LOCALES, texts
from app.services.sign_in import SignIn
from app.views import sign_in
from app.views.opening import Opening
from app.views.sign_in_gate import Gate

FONTS = (
    "system-ui",
    "Hiragino Sans",
    "Yu Gothic UI",
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "sans-serif",
)
MONO = ("ui-monospace", "Consolas", "monospace")


def application(pages: gr.Blocks, service: SignIn) -> Gate:
    """Everything that is served, for any ASGI server; no way leads around the gate."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    sign_in.add(app, service)
    with warnings.catch_warnings():
        # It warns of a mode that is switched off.
        warnings.filterwarnings("ignore", "SSR mode is not supported", UserWarning)
        app = gr.mount_gradio_app(app, pages, path="/", **launch_options())
    app.add_middleware(Opening)
    mounted = (route.app for route in app.routes if isinstance(route, Mount))
    (of_pages,) = (each for each in mounted if isinstance(each, App))
    return Gate(app, service, of_pages.stop_event.set)


def launch_options() -> dict[str, Any]:
    """For `Blocks.launch` and `mount_gradio_app` alike."""
    return {
        "theme": _theme(),
        "css": Path(__file__).with_name("style.css").read_text(encoding="utf-8"),
        "i18n": gr.I18n(**{language: dict(texts(language).messages) for language in LOCALES}),
        "footer_links": [],
        "run_history": False,  # would keep questions and answers in the browser
        "ssr_mode": False,
        "show_error": False,
    }


def _theme() -> gr.themes.Base:
    """Calm, and nothing loaded from elsewhere: system fonts only."""
    return gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=FONTS,
        font_mono=MONO,
        radius_size="md",
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_label_text_color="*neutral_700",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        input_background_fill="white",
        input_background_fill_dark="*neutral_800",
        input_border_color="*neutral_300",
        input_border_width="1px",
        input_placeholder_color="*neutral_500",
        checkbox_label_background_fill="white",
        checkbox_label_background_fill_dark="*neutral_800",
        checkbox_label_background_fill_hover="*neutral_100",
        button_secondary_background_fill="white",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover="*neutral_100",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_text_color="white",
        block_shadow="none",
    )
