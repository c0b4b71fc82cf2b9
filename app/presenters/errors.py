"""Errors in the reader's words: what happened, the numbers, what to do."""

from collections.abc import Mapping

from app.i18n import Texts
from app.money import at_least, at_most, exact
from app.presenters.ceilings import ceiling_name
from policies.errors import Forbidden, InvalidInput, OverCeiling, PilotError, Unauthenticated
from policies.types import Window


def error_text(err: Exception, texts: Texts) -> str:
    """The message of a PilotError; of any other the general one, which tells no secrets."""
    if isinstance(err, OverCeiling):
        return _over_ceiling(err, texts)
    if isinstance(err, InvalidInput):
        return _invalid(err, texts)
    if isinstance(err, Unauthenticated) and err.reason:
        return texts(f"{err.code}.{err.reason}", **err.values)
    if isinstance(err, Forbidden):
        return texts(err.code, action=texts(f"action.{err.values['action']}"))
    if isinstance(err, PilotError) and err.code in texts:
        return texts(err.code, **err.values)
    return texts("error.general")


def _invalid(err: InvalidInput, texts: Texts) -> str:
    """By its reason where the catalogue has one; else its own message, which is safe to show."""
    exact_key = f"{err.code}.{err.reason}"
    if exact_key in texts:
        return texts(exact_key, **err.values)
    return texts(err.code, message=str(err))


def _over_ceiling(err: OverCeiling, texts: Texts) -> str:
    values, currency = err.values, str(err.values["currency"])
    limit, committed, held, quote = (
        int(values[name])
        for name in ("limit_nanos", "committed_nanos", "held_nanos", "quote_nanos")
    )
    return texts(
        "error.over_ceiling",
        scope=ceiling_name(
            str(values["scope"]), Window(str(values["window"])), str(values["window_start"]), texts
        ),
        quote=at_most(quote, currency, texts.locale),
        left=at_least(limit - committed - held, currency, texts.locale),
        limit=exact(limit, currency, texts.locale),
        committed=exact(committed, currency, texts.locale),
        held=exact(held, currency, texts.locale),
        offer=_offer(values, texts),
    )


def _offer(values: Mapping[str, object], texts: Texts) -> str:
    """What could be done instead."""
    if "batch" in values:
        return texts("error.over_ceiling.batch", n=values["batch"])
    fits = str(values.get("fits", ""))
    if fits:
        return texts("error.over_ceiling.fits", importance=texts(f"importance.{fits}"))
    return texts("error.over_ceiling.none")
