"""`ask`: one question through the whole path, from a shell."""

import argparse
import uuid
from dataclasses import replace
from typing import Any

from app.bootstrap import Pilot, build
from app.commands.output import as_json, progress, result, show
from app.commands.who import system_user
from app.loading import load_engine
from app.ports import AnswerRow
from app.services.ask import AskForm, Limits, Preview, Receipt, Written, clean
from app.settings import Settings
from policies.review import withheld
from policies.roles import Actor
from policies.types import Domain, Importance


def ask(settings: Settings, args: argparse.Namespace) -> int:
    """Prints the answer, with --json all the ledger says of it. Ctrl-C settles to the work done."""
    question = clean(args.question, Limits().question_characters)  # the model takes seconds
    pilot = build(settings, load_engine(settings))
    form = AskForm(
        question,
        Importance(args.importance),
        Domain(args.domain),
        args.seed,
    )
    actor = asker(pilot, args)
    preview = pilot.ask.preview(actor, form)
    if args.quote:
        show(_quoted(preview), args.json)
        return 0
    progress(_said(preview))
    events = pilot.ask(actor, form, args.key or uuid.uuid4().hex)
    receipt = None
    try:
        for event in events:
            if isinstance(event, Written) and not args.json:
                done = event.units
                progress(f"… {done.decode_tokens} words, {done.nfe} refinement passes")
            if isinstance(event, Receipt):
                receipt = event
    finally:
        events.close()
    if receipt is None:
        return 1
    if args.json:
        as_json(fields(receipt))
    elif withheld(receipt.row):
        progress(_waits(receipt.row))
    else:
        result(receipt.text.answer)
    return 0


def asker(pilot: Pilot, args: argparse.Namespace) -> Actor:
    """Who asks, and whose budget it counts against. Raises NotFound."""
    actor = pilot.people.at_shell(args.user, system_user())
    return replace(actor, team=args.team) if args.team else actor


def _waits(row: AnswerRow) -> str:
    return (
        f"{row.status}: answer {row.id} goes out with {row.review.approvals} approvals; "
        f"`review status {row.id}` says where it stands"
    )


def _quoted(preview: Preview) -> dict[str, Any]:
    """At most, and what earlier answers on the same rung make likely. Nothing is held."""
    decision, likely = preview.decision, preview.expected
    return {
        "importance": decision.granted.value,
        "asked": decision.asked.value,
        "quote_nanos": decision.quote.nanos,
        "expected_nanos": likely.nanos if likely else None,
        "expected_low_nanos": likely.low_nanos if likely else None,
        "expected_high_nanos": likely.high_nanos if likely else None,
        "expected_n": likely.n if likely else 0,
        "currency": decision.quote.currency,
        "approvals": decision.review.approvals,
        "policy_version": decision.policy_version,
        "price_version": decision.price_version,
        "reasons": [{"code": r.code, "values": dict(r.values)} for r in decision.reasons],
    }


def _said(preview: Preview) -> str:
    quote, likely = preview.decision.quote, preview.expected
    about = f", about {likely.nanos} likely (n={likely.n})" if likely else ""
    return f"{preview.decision.granted}: at most {quote.nanos} nanos {quote.currency}{about}"


def fields(receipt: Receipt) -> dict[str, Any]:
    """All that the ledger says of it."""
    row = receipt.row
    return {
        "answer": receipt.text.answer,
        "importance": row.granted.value,
        "domain": row.domain.value,
        "nfe": row.units.nfe,
        "nfe_per_token": row.nfe_per_token,
        "prompt_tokens": row.units.prompt_tokens,
        "decode_tokens": row.units.decode_tokens,
        "cost_nanos": row.cost_nanos,
        "quote_nanos": row.quote_nanos,
        "currency": row.currency,
        "policy_version": row.policy_version,
        "price_version": row.price_version,
        "adapter_sha256": row.adapter_sha256,
        "seed": row.seed,
        "seconds": round(row.device_seconds, 3),
        "answer_id": row.id,
        "status": row.status.value,
        "approvals": row.review.approvals,
        "replayed": receipt.replayed,
    }
