"""The first row of everything: a pilot and the budget nothing runs without."""

from datetime import datetime

from sqlalchemy import Engine, update

from storage.dialect import keep
from storage.engine import translated
from storage.ledger import SqlLedger
from storage.tables import pilots
from storage.unit_of_work import lock


def ensure_pilot(
    engine: Engine,
    pilot_id: str,
    name: str,
    limit_nanos: int,
    currency: str,
    now: datetime,
    time_zone: str = "UTC",
) -> None:
    """Create the pilot and its budget where they are missing; what is there stays as it is.

    But for the time zone: from now on days are counted in it. Those that were counted stay.
    """
    with translated(), engine.begin() as connection:
        keep(connection, pilots, {"id": pilot_id, "name": name, "created_at": now})
        lock(connection, pilot_id)
        this = update(pilots).where(pilots.c.id == pilot_id)
        connection.execute(this.values(time_zone=time_zone))
        ledger = SqlLedger(connection, pilot_id)
        if not any(ceiling.scope == "pilot" for ceiling in ledger.ceilings()):
            ledger.set_limit("pilot", limit_nanos, currency)
