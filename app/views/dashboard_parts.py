"""What the parts of the Dashboard show of a read model: charts, sentences, data to take away.

Or what stands in their place while there is nothing yet.
"""

from datetime import tzinfo
from typing import Any

import gradio as gr

from app import figures
from app.i18n import Texts
from app.presenters import dashboard as show
from app.presenters import facts, sheets, votes
from app.presenters.levels import levels
from app.presenters.sheet import take
from app.services.dashboard import Overview


def quality(seen: Overview, suite: str, point: str, texts: Texts) -> dict[str, Any]:
    """Suite, chart, what it comes to; or how to get a first measurement."""
    suites = show.suites(seen.measurements)
    if not suites:
        hidden = gr.update(visible=False)
        return {
            "suite": hidden,
            "quality": hidden,
            "points": "",
            "pays": "",
            "quality_take": "",
            "provenance": show.no_measurement(texts),
        }
    chosen = suite if suite in suites else suites[0]
    measured = [m for m in seen.measurements if m.suite == chosen]
    return {
        "suite": gr.update(
            choices=[(show.suite_name(each, texts), each) for each in suites],
            value=chosen,
            visible=len(suites) > 1,
        ),
        "quality": gr.update(value=figures.quality(measured, texts, seen.rungs), visible=True),
        "points": show.points(seen.rungs, point, texts),
        "pays": facts.pays(seen.pays.get(chosen, ()), texts),
        "quality_take": take(sheets.quality(measured, texts), "quality", texts),
        "provenance": show.provenance(measured, texts),
    }


def preferred(seen: Overview, texts: Texts) -> dict[str, Any]:
    """What people preferred: a chart once there is a blind vote."""
    told: dict[str, Any] = {
        "preferred": votes.preferred(seen.votes, texts),
        "votes": gr.update(visible=False),
        "votes_take": take(votes.sheet(seen.votes, texts), "votes", texts),
    }
    if any(each.n for each in seen.votes):
        told["votes"] = gr.update(value=figures.votes(seen.votes, texts), visible=True)
    return told


def spend(seen: Overview, reader: tzinfo, texts: Texts) -> dict[str, Any]:
    """Chart and what stands in its place while nothing is spent."""
    if not seen.days:
        hidden = gr.update(visible=False)
        told = show.no_spend(texts)
        return {
            "spend": hidden,
            "parts": hidden,
            "no_spend": told,
            "coming": "",
            "spend_take": "",
            "parts_take": "",
        }
    pilot = next((c for c in seen.ceilings if c.scope == "pilot"), None)
    if seen.points:
        chart = figures.spend(seen.points, pilot, reader, texts)
    else:
        limit = pilot if seen.whole else None
        chart = figures.spend_by_day(seen.days, limit, seen.coming, seen.currency, texts)
    named = sheets.names(seen.parts, seen.by, texts)
    return {
        "spend": gr.update(value=chart, visible=True),
        "no_spend": "",
        "coming": facts.coming(seen, texts),
        "spend_take": take(sheets.spend(seen.days, seen.currency, texts), "spend", texts),
        "parts": gr.update(
            value=figures.parts(seen.parts, named, seen.currency, texts), visible=True
        ),
        "parts_take": take(sheets.parts(seen.parts, seen.by, seen.currency, texts), "parts", texts),
    }


def work(seen: Overview, reader: tzinfo, texts: Texts) -> dict[str, Any]:
    """Work, use of the device, what people found."""
    hidden = gr.update(visible=False)
    told: dict[str, Any] = {
        "work": hidden,
        "saved": show.no_spend(texts),
        "work_take": "",
        "use": hidden,
        "usage": show.no_spend(texts),
        "use_take": "",
        "levels": levels(seen.line, seen.work, seen.levels, seen.at, texts),
        "reviewed": facts.liked(seen.work, texts)
        + facts.reviewed(seen.levels, seen.audited, seen.months, texts),
    }
    if any(answer.units.decode_tokens for answer in seen.work):
        told["work"] = gr.update(value=figures.work(seen.work, texts), visible=True)
        told["saved"] = facts.saved(seen.work, texts)
        told["work_take"] = take(sheets.work(seen.work, texts), "work", texts)
    if seen.use:
        told["use"] = gr.update(value=figures.use(seen.use.hours, reader, texts), visible=True)
        told["usage"] = facts.usage(seen.use, texts)
        told["use_take"] = take(sheets.use(seen.use.hours, texts), "use", texts)
    return told
