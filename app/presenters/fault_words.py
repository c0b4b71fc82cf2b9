"""What is wrong with a policy, in the reader's words. The document's own words are English.

A message no pattern knows is said in general and stands beside that as it is, so nothing is lost.
"""

import re

from app.i18n import Texts

PATTERNS = (
    (r"is missing", "missing"),
    (r"unknown field; known here: (?P<known>.*)", "unknown_field"),
    (r"Input should be greater than or equal to (?P<limit>\S+)", "at_least"),
    (r"Input should be greater than (?P<limit>\S+)", "above"),
    (r"Input should be less than or equal to (?P<limit>\S+)", "at_most"),
    (r"Input should be a valid (?:integer|number).*", "number"),
    (r"Input should be a valid string.*quotes", "quotes"),
    (r"Input should be a valid (?:string|boolean).*", "text"),
    (r"Input should be a valid (?:tuple|list|array|dictionary).*", "shape"),
    (r"Input should be (?P<known>'.*)", "one_of"),
    (r"(?:String|Tuple) should have at most (?P<limit>\d+) .*", "too_long"),
    (r"(?:String|Tuple) should have at least (?P<limit>\d+) .*", "too_short"),
    (r"String should match pattern .*", "pattern"),
    (r"not YAML: .*", "not_yaml"),
    (r"(?P<got>\d+) characters, at most (?P<limit>\d+) are read", "all_too_long"),
    (r"anchors and aliases are not taken: .*", "anchors"),
    (r"tags are not taken: .*", "tags"),
    (r"control characters are not taken", "control"),
    (r"nested deeper than (?P<limit>\d+)", "nested"),
    (r"stands here a second time", "twice"),
    (r"a policy is a mapping with name and rungs, not an? \S+", "not_a_policy"),
    (r"an amount is a number with up to nine decimals and a currency, as 5 USD", "amount"),
    (r"solver base takes .*", "base"),
    (r"max_nfe_per_token must be at least 1.*", "least_passes"),
    (r"(?P<got>\d+) is less than the (?P<limit>\d+) of (?P<importance>\w+): .*", "order"),
    (r".* approvals, \w+ for \d+: they must not get fewer as importance rises", "order_review"),
    (r"nothing is below routine to step down to: .*", "routine_steps_down"),
    (r"stepping down to (?P<importance>\w+) saves nothing: .*", "step_saves_nothing"),
    (r"is in (?P<got>[A-Z]{3}), the prices are in (?P<limit>[A-Z]{3})", "currency"),
    (r"(?P<importance>\w+) can never run: .*", "never_runs"),
    (r".* candidates at temperature 0 hardly differ: .*", "temperature"),
    (r"a line written again at temperature 0 is the same: .*", "checked_temperature"),
    (r"checked takes solver euler, .*", "checked"),
    (r"scope \w+ (?:has no name|goes with|takes window).*", "scope"),
    (r".* never binds: .*", "never_binds"),
    (r".* (?:names a rule above|has a limit above).*", "named_before"),
    (r"thresholds must rise.*", "thresholds"),
)
"""Messages of policies.written, form, contradictions and affordable, and of pydantic."""


def problem(said: str, texts: Texts) -> tuple[str, str]:
    """What is wrong, and the original where that was not understood."""
    for pattern, name in PATTERNS:
        if found := re.fullmatch(pattern, said, re.DOTALL):
            values = {k: v for k, v in found.groupdict().items() if v}
            if "importance" in values and f"importance.{values['importance']}" in texts:
                values["importance"] = texts(f"importance.{values['importance']}")
            if "known" in values:
                values["known"] = values["known"].replace(" or ", "、").replace(", ", "、")
            return texts(f"fault.{name}", **values), ""
    return texts("fault.other"), said
