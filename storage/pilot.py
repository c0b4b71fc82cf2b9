"""The first row of everything: a pilot. Without a budget nothing runs in it yet."""

from datetime import datetime

from sqlalchemy import Engine, update

from storage.dialect import keep
from storage.engine import translated
from storage.tables import pilots
from storage.unit_of_work import lock


def ensure_pilot(
    engine: Engine, pilot_id: str, name: str, now: datetime, time_zone: str = "UTC"
) -> None:
    """Create the pilot where it is missing; what is there stays as it is.

    But for the time zone: from now on days are counted in it. Those that were counted stay.
    """
    with translated(), engine.begin() as connection:
        keep(connection, pilots, {"id": pilot_id, "name": name, "created_at": now})
        lock(connection, pilot_id)
        this = update(pilots).where(pilots.c.id == pilot_id)
        connection.execute(this.values(time_zone=time_zone))
