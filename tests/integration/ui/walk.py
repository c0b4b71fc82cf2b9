"""Every event and every press of every page, called past the page, and all that is said to them."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

PRESSES = ("open", "read", "take", "take_over", "base")
FILE = re.compile(r"/gradio_api/file=[^\"\\\s]+")
"""What an export or a picture is served under."""
Config = Mapping[str, Any]
"""What Gradio says of its pages: their components, their events."""


def heard(
    client: httpx.Client, event: int, data: list[Any], session: str, pressed: object = None
) -> str:
    """All that the server says to one event, asked directly and by its queue as the page does."""
    body = {"data": data, "fn_index": event, "session_hash": session, "event_data": pressed}
    said = client.post("/gradio_api/run/predict", json=body).text
    joined = client.post("/gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return said + joined.text
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as stream:
        for line in stream.iter_lines():
            said += line
            if "close_stream" in line or "process_completed" in line:
                break
    return said


def inputs(config: Config, event: dict[str, Any], answer_id: str) -> list[Any]:
    """The id wherever a text may stand, else what the component holds at first."""
    parts = {part["id"]: part for part in config["components"]}
    given: list[Any] = []
    for name in event["inputs"]:
        kind, props = parts[name]["type"], parts[name]["props"]
        text = kind in ("textbox", "html") and not props.get("choices")
        given.append(answer_id if text else props.get("value"))
    return given


def events(config: Config) -> list[dict[str, Any]]:
    """Those that run anything here."""
    return [event for event in config["dependencies"] if event.get("backend_fn", True)]


def heard_of_all(client: httpx.Client, config: Config, answer_id: str, tab: str) -> str:
    """All that is said to all events, each in a tab of its own."""
    with ThreadPoolExecutor(8) as pool:

        def said(event: dict[str, Any]) -> str:
            return heard(
                client, event["id"], inputs(config, event, answer_id), f"{tab}{event['id']}"
            )

        return "".join(pool.map(said, events(config)))


def pressed_all(client: httpx.Client, config: Config, answer_id: str, tab: str) -> str:
    """What is said to every press that a page knows, wherever something can be pressed."""
    html = {part["id"] for part in config["components"] if part["type"] == "html"}
    said = ""
    for event in config["dependencies"]:
        if any(part in html and trigger == "click" for part, trigger in event["targets"]):
            for do in PRESSES:
                given, what = inputs(config, event, answer_id), {"do": do, "id": answer_id}
                said += heard(client, event["id"], given, tab, what)
    return said


def heard_in_one_tab(client: httpx.Client, config: Config, answer_id: str, tab: str) -> str:
    """Each press on that answer, then every event in the tab that pressed, then every file told."""
    said = pressed_all(client, config, answer_id, tab)
    for event in events(config):
        said += heard(client, event["id"], inputs(config, event, answer_id), tab)
    return said + "".join(client.get(file).text for file in sorted(set(FILE.findall(said))))
