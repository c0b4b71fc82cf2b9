"""What a question is about, told from its words: a suggestion, which its asker may change.

The domain chooses the guidance class, and rules that raise importance may look at it. Where too
little speaks for any domain the guess is `general`, which presumes nothing.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from policies.types import Domain

CUES = Path(__file__).with_name("cues.json")
"""Words of the training tasks with their weights: `python -m scripts.generate_cues`."""
JAPANESE = {
    Domain.MATH: (
        "いくつ",
        "いくら",
        "何個",
        "何人",
        "何本",
        "何円",
        "合計",
        "計算",
        "平均",
        "割引",
    ),
    Domain.DATA: ("並べ", "一覧", "抽出", "昇順", "降順", "表に", "変換", "重複"),
    Domain.BUSINESS: ("請求", "支払", "期日", "顧客", "問い合わせ", "納期", "承認", "見積", "契約"),
}
CLEAR = 3.0
"""Weight, in nats, that a domain must have and lead by half of."""
READ = 600
"""Characters looked at: what a question is about shows at its beginning."""
_WORD = re.compile(r"[a-z]+|\d+|[^\sa-z\d]")


def words(question: str) -> set[str]:
    """Lower-case words and signs; every number as `#`."""
    found = _WORD.findall(question[:READ].lower())
    return {"#" if word.isdigit() else word for word in found}


def guess(question: str) -> Domain:
    """The domain that the words speak for most clearly."""
    table, total = _cues(), dict.fromkeys(JAPANESE, 0.0)
    for word in words(question):
        for domain, weight in table.get(word, {}).items():
            total[Domain(domain)] += weight
    for domain, cues in JAPANESE.items():
        total[domain] += CLEAR * sum(cue in question[:READ] for cue in cues)
    best, second = sorted(total, key=lambda domain: -total[domain])[:2]
    clear = total[best] >= CLEAR and total[best] - total[second] >= CLEAR / 2
    return best if clear else Domain.GENERAL


@cache
def _cues() -> Mapping[str, Mapping[str, float]]:
    table: dict[str, dict[str, float]] = json.loads(CUES.read_text(encoding="utf-8"))
    return table
