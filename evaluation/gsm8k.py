"""GSM8K (Cobbe et al., arXiv 2110.14168): grade-school problems whose last line is "#### 72".

Pure: reads the text of its answers; where they come from is the caller's business.
"""

import re

HUB = ("openai/gsm8k", "main")
"""Data set and configuration on the hub."""

_MARK = re.compile(r"^#### *(\S.*?) *$", re.MULTILINE)
_CALCULATION = re.compile(r"<<[^<>]*>>")


def final(answer: str) -> str | None:
    """The number behind "####", without its separators; None where the answer has none."""
    found = _MARK.search(answer)
    return found[1].replace(",", "").lstrip("$") if found else None


def response(answer: str) -> str | None:
    """The working without calculator notes, then the answer line that this product writes."""
    number, (working, *_) = final(answer), _MARK.split(answer)
    if number is None:
        return None
    lines = [" ".join(line.split()) for line in _CALCULATION.sub("", working).splitlines()]
    return "\n".join([*(line for line in lines if line), f"Answer: {number}"])
