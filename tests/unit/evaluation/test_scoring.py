"""Scoring reads tuned and untuned answers alike, and never crashes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.scoring import CHECKS, extract, is_correct

RIGHT = (
    ("number", "12 x 6 = 72\n72 - 9 = 63\nAnswer: 63", "63"),
    ("number", "answer:63.0", "63"),
    ("number", "**Answer:** $1,234.50.", "1234.5"),
    ("number", "Answer: 63 pens", "63"),
    ("number", "Answer:\n63", "63"),
    ("number", "Answer: 12\nWait. Answer: 63\nThere were 9 returns.", "63"),
    ("number", "There are 72 pens, 9 come back, so 63 pens remain.", "63"),
    ("number", "The range 10-20", "20"),
    ("number", "It is -4", "-4"),
    ("number", "The discount is 20%", "20"),
    ("number", "The sum is 063", "63"),
    ("number", "48 / 2 = 24\n#### 24", "24"),
    ("number", "So the total is \\boxed{63} of 72 pens.", "63"),
    ("number", "#### Solution\n72 - 9 = 63", "63"),
    ("number", "\\boxed{9} come back.\nAnswer: 63", "63"),
    ("label", "It is \\boxed{billing}, not delivery.", "billing"),
    ("text", "Answer: 2024-03-05", "2024-03-05"),
    ("text", "The date is as follows.\n\n'2024-03-05'.\n", "2024-03-05"),
    ("text", "The customer is Cedar Labs.", "Cedar Labs"),
    ("text", "Answer: cedar  LABS!", "Cedar Labs"),
    ("text", "Answer: Order 4021: shipped (Oslo)", "Order 4021: shipped (Oslo)"),
    ("list", "Answer: 3, 12, 40", "3, 12, 40"),
    ("list", "Answer: [3, 12, 40]", "3, 12, 40"),
    ("list", "answer: ['lemon', 'olive']", "lemon, olive"),
    ("list", "The sorted numbers are: 3, 12 and 40.", "3, 12, 40"),
    ("list", "Here they are:\n- 3\n- 12\n- 40", "3, 12, 40"),
    ("list", "Sorted:\n1. Apple\n2. Pear", "apple, pear"),
    ("list", "Answer:\n* apple\n* pear\nThat is all.", "apple, pear"),
    ("list", "Answer: 3 12 40", "3, 12, 40"),
    ("list", "Answer: 3, 12, 40\n1. I sorted them.", "3, 12, 40"),
    ("label", "Answer: billing", "billing"),
    ("label", "This ticket belongs to Billing.", "billing"),
    ("label", "Yes, the order needs approval. There is no other way.", "yes"),
    ("label", "620 > 500\nAnswer: yes", "yes"),
    ("label", "Hello!\nThe priority is **urgent**.", "urgent"),
)
WRONG = (
    ("number", "Answer: 72", "63"),
    ("number", "I do not know.", "63"),
    ("number", "63 is my guess.\nAnswer: none", "63"),
    ("number", "", "63"),
    ("number", "63 pens.\n#### 72", "63"),
    ("number", "63 pens, \\boxed{}", "63"),
    ("text", "Answer: 2024-05-03", "2024-03-05"),
    ("text", "Answer: I think it is Oslo", "Oslo"),
    ("text", "", "Oslo"),
    ("list", "Answer: 12, 3, 40", "3, 12, 40"),
    ("list", "Answer: 3, 12", "3, 12, 40"),
    ("list", "", "3"),
    ("label", "billing, delivery, technical, account or returns", "billing"),
    ("label", "Answer: billing or delivery", "billing"),
    ("label", "It is not clear.", "billing"),
    ("label", "Answer: no", "yes"),
    ("label", "", "yes"),
)
checks = st.sampled_from(sorted(CHECKS))


@pytest.mark.parametrize(("check", "text", "answer"), RIGHT)
def test_a_right_answer_is_accepted_however_it_is_dressed(
    check: str, text: str, answer: str
) -> None:
    assert is_correct(text, answer, check)
    assert extract(text, check) is not None


@pytest.mark.parametrize(("check", "text", "answer"), WRONG)
def test_a_wrong_missing_or_hedged_answer_is_refused(check: str, text: str, answer: str) -> None:
    assert not is_correct(text, answer, check)


def test_a_label_outside_the_known_sets_is_compared_as_text() -> None:
    assert is_correct("Answer: Gold", "gold", "label")
    assert not is_correct("Answer: silver", "gold", "label")


@pytest.mark.parametrize("call", [lambda: extract("63", "sum"), lambda: is_correct("", "", "sum")])
def test_an_unknown_check_names_the_known_ones(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="number, text, list, label"):
        call()


@given(text=st.text(), answer=st.text(), check=checks)
def test_no_text_crashes_the_scorer(text: str, answer: str, check: str) -> None:
    extracted = extract(text, check)
    assert extracted is None or extracted
    assert is_correct(text, answer, check) in (True, False)


@given(value=st.integers(-(10**12), 10**12))
def test_a_number_is_the_same_with_separators_decimals_and_currency(value: int) -> None:
    for written in (f"{value}", f"{value:,}", f"{value}.00", f"{value:,} USD."):
        assert is_correct(f"Answer: {written}", str(value), "number")


@given(items=st.lists(st.integers(0, 999), min_size=1, max_size=8))
def test_a_list_is_the_same_in_brackets_bullets_or_words(items: list[int]) -> None:
    words = [str(item) for item in items]
    plain = ", ".join(words)
    bullets = "\n".join(f"- {word}" for word in words)
    for written in (plain, f"[{plain}]", "; ".join(words), " and ".join(words), f"\n{bullets}"):
        assert is_correct(f"Answer: {written}", plain, "list")


@given(before=st.text(), value=st.integers(0, 10**6))
def test_what_stands_before_the_answer_line_does_not_matter(before: str, value: int) -> None:
    assert is_correct(f"{before}\nAnswer: {value}", str(value), "number")
