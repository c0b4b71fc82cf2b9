"""A stored policy written out again as YAML that a person can read and edit."""

import json
from typing import Any

import yaml

from policies.types import Importance

ORDER = ("name", "rungs", "rules", "ceilings", "alerts")
WIDTH = 100


def yaml_of(canonical: str) -> str:
    """Of a version's canonical text: importances in their order, the rest as the form names it."""
    said = json.loads(canonical)
    said["rungs"] = {i.value: said["rungs"][i.value] for i in Importance}
    ordered: dict[str, Any] = {name: said[name] for name in ORDER if name in said}
    return yaml.safe_dump(
        ordered | said, sort_keys=False, allow_unicode=True, default_flow_style=None, width=WIDTH
    )
