"""The queue's side of the Review page: its filters, kept in the link, and what they ask for."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import gradio as gr

from app.i18n import DEFAULT, texts
from app.ports import ReviewFilter
from app.presenters import choices
from app.presenters import review_queue as show
from app.views.acted import IN_ZONE_AND_IDLE
from app.views.labels import Labels
from app.views.press import pressable
from policies.review import ItemKind, ItemState
from policies.types import Domain, Importance


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters as the page sends them; whatever is not known there is no restriction."""

    importance: str = ""
    team: str = ""
    domain: str = ""
    kind: str = ""
    state: str = ItemState.WAITING.value

    @classmethod
    def read(cls, *values: str | None) -> "Chosen":
        return cls(*(str(value or "") for value in values))

    @classmethod
    def linked(cls, query: Mapping[str, object]) -> "Chosen":
        """As a link says it, where that can be chosen."""
        said = {name: str(query.get(name) or "") for name in NAMES}
        legal: dict[str, set[str]] = {
            "importance": set(Importance),
            "domain": set(Domain),
            "kind": set(show.KINDS),
            "state": set(ItemState),
        }
        known = {name: value for name, value in said.items() if value in legal.get(name, {value})}
        return cls(**{n: value for n, value in known.items() if value and value.isprintable()})

    def filter(self) -> ReviewFilter:
        return ReviewFilter(
            importance=Importance(self.importance) if self.importance in set(Importance) else None,
            domain=Domain(self.domain) if self.domain in set(Domain) else None,
            team=self.team,
            kind=ItemKind(self.kind) if self.kind in set(ItemKind) else None,
            third=self.kind == show.THIRD,
            state=ItemState(self.state) if self.state in set(ItemState) else ItemState.WAITING,
        )


NAMES = [field.name for field in fields(Chosen)]
REMEMBER = """(zone, idle, ...rest) => {
  const usual = %s, query = new URLSearchParams(location.search);
  Object.keys(usual).forEach((name, i) => {
    if (rest[i] && rest[i] !== usual[name]) query.set(name, rest[i]); else query.delete(name);
  });
  const said = query.toString();
  history.replaceState(null, "", location.pathname + (said ? "?" + said : ""));
  return (%s)(zone, idle, ...rest);
}"""
"""What is chosen is kept in the address, so that a link shows the same."""
FRESH: dict[str, Any] = IN_ZONE_AND_IDLE | {
    "js": REMEMBER % (json.dumps(asdict(Chosen())), IN_ZONE_AND_IDLE["js"])
}


@dataclass(frozen=True, slots=True)
class Filters:
    """In the order of `Chosen`."""

    importance: gr.Dropdown
    team: gr.Dropdown
    domain: gr.Dropdown
    kind: gr.Dropdown
    state: gr.Dropdown

    @property
    def all(self) -> list[gr.Dropdown]:
        return [getattr(self, name) for name in NAMES]


def filters(labels: Labels) -> Filters:
    with gr.Row(elem_id="review-filters"):
        return Filters(
            importance=_choice(labels, "importance", show.importances),
            team=labels.make(
                gr.Dropdown,
                {"label": "review.filter.team"},
                choices=choices.names((), texts(DEFAULT)),
                value="",
                allow_custom_value=True,  # a link may name a team that nothing is kept of yet
                min_width=120,
                elem_id="filter-team",
            ),
            domain=_choice(labels, "domain", choices.domains),
            kind=_choice(labels, "kind", show.kinds),
            state=_choice(labels, "state", show.states, value=Chosen().state),
        )


def queue() -> gr.HTML:
    """One button an answer."""
    return pressable(elem_id="queue")


def _choice(labels: Labels, name: str, given: Any, value: str = "") -> gr.Dropdown:
    return labels.options(
        gr.Dropdown,
        f"review.filter.{name}",
        given,
        texts(DEFAULT),
        value=value,
        min_width=120,
        elem_id=f"filter-{name}",
    )
