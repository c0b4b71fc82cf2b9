"""The figures behind a chart: to take along as data or as a picture, and to read as a table."""

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app.i18n import Texts
from app.presenters.parts import number

Cell = str | int | float
ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is a formula to a spreadsheet."""
SHOWN = 200
"""Rows of the table on the page; the file has all of them."""


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    """Of the file, without its ending."""
    columns: Sequence[str]
    """In the reader's words."""
    rows: Sequence[Sequence[Cell]]


def as_csv(sheet: Sheet) -> str:
    """Cells that a spreadsheet would run are given an apostrophe; numbers stay numbers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_safe(column) for column in sheet.columns])
    writer.writerows([_safe(cell) for cell in row] for row in sheet.rows)
    return out.getvalue()


def take(sheet: Sheet, chart: str, texts: Texts) -> str:
    """Data, picture of the chart with this element id, and the same as a table."""
    if not sheet.rows:
        return ""
    return (
        f'<div class="take">{_link(sheet, texts)}'
        f'<button type="button" data-picture="{chart}" data-name="{escape(sheet.name)}">'
        f"{escape(texts('sheet.picture'))}</button>"
        f"<details><summary>{escape(texts('sheet.table'))}</summary>{_table(sheet, texts)}"
        "</details></div>"
    )


def take_data(sheet: Sheet, texts: Texts) -> str:
    """Of what is a table already."""
    return f'<div class="take">{_link(sheet, texts)}</div>' if sheet.rows else ""


def _link(sheet: Sheet, texts: Texts) -> str:
    # A byte order mark, or spreadsheets take Japanese for something else.
    body = base64.b64encode(("\ufeff" + as_csv(sheet)).encode("utf-8")).decode("ascii")
    return (
        f'<a download="{escape(sheet.name)}.csv" '
        f'href="data:text/csv;charset=utf-8;base64,{body}">{escape(texts("sheet.csv"))}</a>'
    )


def _table(sheet: Sheet, texts: Texts) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in sheet.columns)
    body = "".join(
        "<tr>" + "".join(_cell(cell, texts) for cell in row) + "</tr>" for row in sheet.rows[:SHOWN]
    )
    return (
        f'<div class="scroll" tabindex="0"><table class="plain"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(cell: Cell, texts: Texts) -> str:
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    shown = number(cell, texts) if isinstance(cell, int) else f"{cell:g}"
    return f'<td class="figure">{escape(shown)}</td>'


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(ACTIVE) else cell
