"""The first row of everything: a pilot and the budget nothing runs without."""

from datetime import datetime

from sqlalchemy import Engine

from storage.engine import translated
from storage.ledger import SqlLedger
from storage.repositories import keep
from storage.tables import pilots


def ensure_pilot(
    engine: Engine, pilot_id: str, name: str, limit_nanos: int, currency: str, now: datetime
) -> None:
    """Create the pilot and its budget where they are missing; what is there stays as it is."""
    with translated(), engine.begin() as connection:
        keep(connection, pilots, {"id": pilot_id, "name": name, "created_at": now})
        ledger = SqlLedger(connection, pilot_id)
        if not any(ceiling.scope == "pilot" for ceiling in ledger.ceilings()):
            ledger.set_limit("pilot", limit_nanos, currency)
