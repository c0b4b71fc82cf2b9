"""What both pages begin with."""

import gradio as gr

SAY_LANGUAGE = """() => {
  const forced = new URLSearchParams(location.search).get("lang");
  if (["en", "ja"].includes(forced)) document.documentElement.lang = forced;
}"""
"""Screen readers and fonts go by the language of the document; Gradio sets it to the browser's."""


def header(page: gr.Blocks) -> gr.HTML:
    page.load(None, js=SAY_LANGUAGE, api_visibility="private")
    return gr.HTML(elem_id="header", padding=False)
