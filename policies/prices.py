"""Price lists as documents: YAML in, validated PriceLists out. Whole nanos only.

A list is valid from its instant until the next list for the same model. A plain date is the
beginning of that day in the time zone of the pilot.
"""

from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from policies.document import PRESETS
from policies.errors import InvalidInput
from policies.types import PriceList
from policies.written import Fault, read


class _PriceForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(min_length=1, max_length=80)
    currency: str = Field(pattern="^[A-Z]{3}$")
    model: str = Field(min_length=1)
    valid_from: datetime | date
    prompt_token_nanos: int = Field(ge=0, le=10**15, strict=True)
    decode_token_nanos: int = Field(ge=0, le=10**15, strict=True)
    nfe_nanos: int = Field(ge=0, le=10**15, strict=True)


_FORMS = TypeAdapter(list[_PriceForm])


def parse(text: str, source: str, zone: tzinfo = UTC) -> list[PriceList]:
    """Raises InvalidInput with every fault: line, field, value, legal set."""
    written = read(text, source)
    if isinstance(written, Fault):
        raise InvalidInput(str(written))
    try:
        forms = _FORMS.validate_python(written.value)
    except ValidationError as err:
        faults = written.faults(err, _FORMS.json_schema())
        raise InvalidInput("; ".join(str(fault) for fault in faults)) from err
    versions = [form.version for form in forms]
    for i, version in enumerate(versions):
        if version in versions[:i]:
            raise InvalidInput(str(written.fault((i, "version"), "names a list above", version)))
    return [_price_list(form, zone) for form in forms]


def load(name: str, zone: tzinfo = UTC) -> list[PriceList]:
    """`builtin`, or a file. Dates without a time begin at midnight in `zone`."""
    file = PRESETS / "prices.yaml" if name == "builtin" else Path(name)
    try:
        return parse(file.read_text(encoding="utf-8"), file.name, zone)
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidInput(f"price file {file} cannot be read: {err}") from err


def _price_list(form: _PriceForm, zone: tzinfo) -> PriceList:
    values = form.model_dump()
    since = values.pop("valid_from")
    begin = since if isinstance(since, datetime) else datetime.combine(since, time())
    if begin.tzinfo is None:
        begin = begin.replace(tzinfo=zone)
    return PriceList(valid_from=begin.astimezone(UTC), **values)
