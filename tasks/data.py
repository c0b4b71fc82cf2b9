"""The data domain: lists to sort, tidy and count, records to read and reformat."""

from __future__ import annotations

from tasks.counting import COUNTING
from tasks.lists import LISTS
from tasks.records import RECORDS
from tasks.types import Kind, worded
from tasks.wordings_data import DATA_WORDINGS

DATA: tuple[Kind, ...] = worded(LISTS + COUNTING + RECORDS, DATA_WORDINGS)
