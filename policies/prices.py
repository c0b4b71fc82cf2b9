"""Price lists as documents: YAML in, validated PriceLists out. Whole nanos only."""

from datetime import datetime
from pathlib import Path

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from policies.document import PRESETS, faults
from policies.errors import InvalidInput
from policies.types import PriceList


class _PriceDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(min_length=1, max_length=80)
    currency: str = Field(pattern="^[A-Z]{3}$")
    model: str = Field(min_length=1)
    valid_from: AwareDatetime
    prompt_token_nanos: int = Field(ge=0, strict=True)
    decode_token_nanos: int = Field(ge=0, strict=True)
    nfe_nanos: int = Field(ge=0, strict=True)


def parse(text: str, source: str) -> list[PriceList]:
    """Raises InvalidInput with every fault: field, value, legal set."""
    try:
        raw = yaml.safe_load(text)
        documents = TypeAdapter(list[_PriceDocument]).validate_python(raw)
    except yaml.YAMLError as err:
        raise InvalidInput(f"{source}: not YAML: {err}") from err
    except ValidationError as err:
        raise InvalidInput(f"{source}: {faults(err)}") from err
    return [_price_list(document) for document in documents]


def load(name: str) -> list[PriceList]:
    """`builtin`, or a file."""
    file = PRESETS / "prices.yaml" if name == "builtin" else Path(name)
    try:
        return parse(file.read_text(encoding="utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidInput(f"price file {file} cannot be read: {err}") from err


def _price_list(document: _PriceDocument) -> PriceList:
    values = document.model_dump()
    valid_from: datetime = values.pop("valid_from")
    return PriceList(valid_from=valid_from, **values)
