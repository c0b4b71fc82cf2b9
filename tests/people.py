"""The people of a small pilot, and pages that know them by a cookie instead of a password."""

from dataclasses import dataclass

import gradio as gr

from app.presenters.frame import Session
from policies.roles import Actor, Role

AIKO = Actor("aiko", "sales", frozenset({Role.REQUESTER}))
BEN = Actor("ben", "finance", frozenset({Role.REQUESTER}))
CHIKA = Actor("chika", "quality", frozenset({Role.REVIEWER}))
DAN = Actor("dan", "quality", frozenset({Role.REVIEWER}))
EMI = Actor("emi", "finance", frozenset({Role.BUDGET_OWNER}))
FINN = Actor("finn", "operations", frozenset({Role.POLICY_OWNER}))
GEN = Actor("gen", "operations", frozenset({Role.POLICY_OWNER}))
VERA = Actor("vera", "board", frozenset({Role.VIEWER}))
EVERYONE = Actor("local", "pilot", frozenset(Role))
PEOPLE = {p.user: p for p in (EVERYONE, AIKO, BEN, CHIKA, DAN, EMI, FINN, GEN, VERA)}
COOKIE = "test_person"


@dataclass(frozen=True)
class Cookies:
    """`Sessions` of a browser that says who it is."""

    def __call__(self, request: gr.Request) -> Session:
        name = str(dict(getattr(request, "cookies", {}) or {}).get(COOKIE, EVERYONE.user))
        return Session(PEOPLE[name], tuple(PEOPLE.values()))
