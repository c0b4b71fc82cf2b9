"""The business domain: tickets and mails to label, rules to apply, papers to read and fill."""

from __future__ import annotations

from tasks.paperwork import PAPERWORK
from tasks.triage import TRIAGE
from tasks.types import Kind, worded
from tasks.wordings_business import BUSINESS_WORDINGS

BUSINESS: tuple[Kind, ...] = worded(TRIAGE + PAPERWORK, BUSINESS_WORDINGS)
