"""Measurements shipped with the adapter: a file `evaluate --record` writes and a first start reads.

They are shown as what they are, recorded before release, and only for the adapter they are of.
"""

import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from app.ports import AuditEvent, Detail, Measured, Measurement, OpenUnitOfWork
from policies.errors import InvalidInput
from policies.types import Domain, Importance, Units

FILE = "measurements.json"


def write(file: Path, recorded: list[tuple[Measurement, list[Measured]]]) -> None:
    """Measurements with their rows, one JSON object a measurement."""
    lines = [
        json.dumps({"measurement": asdict(m), "rows": [_short(r) for r in rows]}, default=str)
        for m, rows in recorded
    ]
    file.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def read(file: Path) -> list[tuple[Measurement, list[Measured]]]:
    """Raises InvalidInput where the file is not what write() wrote."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return [(_measurement(x["measurement"]), [_row(r) for r in x["rows"]]) for x in raw]
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InvalidInput(f"{file} holds no recorded measurements: {err}") from err


def seed(uow: OpenUnitOfWork, file: Path, adapter_sha256: str, by: str, now: datetime) -> int:
    """Store what was recorded for this adapter unless it has measurements; returns how many."""
    if not file.exists():
        return 0
    with uow() as work:
        if work.measurements.latest(adapter_sha256):
            return 0
        mine = [(m, rows) for m, rows in read(file) if m.adapter_sha256 == adapter_sha256]
        for measurement, rows in mine:
            work.measurements.add(replace(measurement, shipped=True), rows)
        if mine:
            details: dict[str, Detail] = {"n": len(mine), "adapter_sha256": adapter_sha256}
            work.audit.append(AuditEvent(by, "measure.shipped", file.name, details, now))
        work.commit()
    return len(mine)


def _short(row: Measured) -> list[Any]:
    u = row.units
    return [
        row.question_id, row.domain.value, int(row.correct),
        u.prompt_tokens, u.decode_tokens, u.nfe, row.cost_nanos,
    ]  # fmt: skip


def _row(values: list[Any]) -> Measured:
    question, domain, correct, prompt, decode, nfe, cost = values
    return Measured(question, Domain(domain), bool(correct), Units(prompt, decode, nfe), cost)


def _measurement(values: dict[str, Any]) -> Measurement:
    importance, domain = values["importance"], values["domain"]
    return Measurement(
        **values
        | {
            "importance": Importance(importance) if importance else None,
            "domain": Domain(domain) if domain else None,
            "measured_at": datetime.fromisoformat(values["measured_at"]),
        }
    )
