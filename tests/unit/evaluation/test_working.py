"""What free text states: found where a reader would see it, and right exactly where it is so."""

from fractions import Fraction
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.working import every_line_holds, holds, statements
from tasks.mix import stream

NUMBERS = st.integers(0, 10**6)
SIGNS = {"+": "+", "-": "-", "x": "*", "*": "*", "×": "*", "/": "/", "÷": "/", "\u2212": "-"}  # noqa: RUF001


@given(
    first=NUMBERS, rest=st.lists(st.tuples(st.sampled_from("+-x"), NUMBERS), min_size=1, max_size=5)
)
def test_a_sum_holds_exactly_where_arithmetic_says_so(
    first: int, rest: list[tuple[str, int]]
) -> None:
    left = str(first) + "".join(f" {sign} {number}" for sign, number in rest)
    value = eval(left.replace("x", "*"))
    assert [(s.text, s.holds) for s in statements(f"{left} = {value}")] == [
        (f"{left} = {value}", True)
    ]
    assert not holds(f"So {left} = {value + 1}.")


@given(a=NUMBERS, b=NUMBERS)
def test_a_comparison_holds_exactly_where_it_is_true(a: int, b: int) -> None:
    assert holds(f"{a} < {b}") is (a < b)
    assert holds(f"{a} > {b}") is (a > b)


@given(
    items=st.lists(NUMBERS, min_size=3, max_size=9),
    sign=st.sampled_from("<>"),
    more=st.integers(-1, 1),
)
def test_an_order_holds_exactly_where_it_is_one_and_names_as_many_as_it_says(
    items: list[int], sign: str, more: int
) -> None:
    ordered = all(a < b if sign == "<" else a > b for a, b in pairwise(items))
    chain = f" {sign} ".join(map(str, items))
    assert [s.holds for s in statements(chain)] == [ordered]
    assert holds(f"{len(items) + more} numbers: {chain}") is (ordered and not more)


@given(
    given_=st.lists(NUMBERS, min_size=3, max_size=8, unique=True),
    sign=st.sampled_from("<>"),
    lost=st.integers(0, 6),
    swapped=st.booleans(),
)
def test_an_order_behind_the_list_as_given_holds_exactly_where_it_has_all_of_it(
    given_: list[int], sign: str, lost: int, swapped: bool
) -> None:
    ordered = sorted(given_, reverse=sign == ">")
    kept = ordered[: max(2, len(ordered) - lost)]
    if swapped:
        kept[0], kept[1] = kept[1], kept[0]
    text = f"{' '.join(map(str, given_))}: {sign.join(map(str, kept))}"
    assert [s.text for s in statements(text)] == [text]
    assert holds(text) is (not swapped and len(kept) == len(ordered))
    assert holds(f"The list.\n{text}\nAnswer: {kept[0]}") is holds(text)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Zoe, Ann, Bob: Ann<Bob<Zoe", True),
        ("Zoe, Ann, Bob: Ann<Bob<Zed", False),
        ("Zoe, Ann, Bob, Cleo: Ann<Bob<Cleo", False),
        ("Zoe, Ann, Bob: Ann<Bob", False),
        ("7 4 12: Ann<Bob<Zoe", False),
        ("7 4 12 4: 4<7<12", False),
        ("So, in order, then: 4<7<12", True),
    ],
)
def test_words_too_are_held_against_the_list_as_given(text: str, right: bool) -> None:
    assert holds(text) is right


@given(a=NUMBERS, b=st.integers(1, 999), decimals=st.integers(1, 4))
def test_a_quotient_may_be_rounded_to_the_decimals_it_is_given_with(
    a: int, b: int, decimals: int
) -> None:
    right = round(Fraction(a, b), decimals)
    assert holds(f"{a} / {b} = {float(right):.{decimals}f}")
    off = float(right) + 2 * 10**-decimals
    assert not holds(f"{a} / {b} = {off:.{decimals}f}")
    assert holds(f"{a} / {b} = {a // b}") is (a % b == 0)


@pytest.mark.parametrize("sign", SIGNS)
def test_every_way_to_write_an_operator_is_read(sign: str) -> None:
    assert holds(f"12 {sign} 4 = {eval(f'12 {SIGNS[sign]} 4'):g}")
    assert not holds(f"12 {sign} 4 = 1")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("25% of 272 = 68", [True]),
        ("25% of 272 = 60", [False]),
        ("1,200 + 300 = 1,500", [True]),
        ("-3 + 5 = 2, 3 - -5 = 8", [True, True]),
        ("8 / 4 x 2 = 4; 10 - 2 x 3 = 24", [True, False]),
        ("It is 2 + 2 = 4.", [True]),
        ("2 + 2 = 4\n4 + 1 = 6\nAnswer: 6", [True, False]),
        ("59 > 50: 1\n31 > 50: 2", [True, False]),
        ("1 < 2 < 1", [False]),
        ("So Ash < elm < Yew, and 7 > 5 > 6.", [True, False]),
        ("-5 > -9 > -10; 1 + 1 = 3", [True, False]),
        ("3 words: ash < elm < yew", [True]),
        ("4 words: ash < elm < yew", [False]),
        ("Vertex 175 < 545, Apex 9 > 12", [True, False]),
    ],
)
def test_sums_are_found_in_prose_and_in_lines(text: str, found: list[bool]) -> None:
    assert [statement.holds for statement in statements(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a = 5",
        "5 = 5",
        "No. 7 = 8?",
        "a x 3 = 5",
        "5 / 0 = 3",
        "on 2024-05-06 = 3",
        "12:30 - 2 = 5",
        "1 + 2 = 3 + 4",
        "x < y < z",
        "1 < two < 3",
        "4 numbers: 1 and 2",
        "1 < 2 < 3 = 3",
        "10-20",
        "9" * 41 + " + 1 = 2",
        "1 + " * 40 + "1 = 3",
    ],
)
def test_what_is_no_sum_to_a_reader_is_none(text: str) -> None:
    assert statements(text) == []


@given(st.text(alphabet="0123456789 +-x*/=<>%,.:of\n", max_size=80))
def test_any_text_is_read_and_what_is_found_stands_in_it(text: str) -> None:
    assert all(statement.text in text for statement in statements(text))


def test_the_working_of_every_task_trained_on_holds() -> None:
    tasks = list(islice(stream(11, "train"), 600))
    assert all(holds(task.response) for task in tasks)
    assert sum(bool(statements(task.response)) for task in tasks) > 200


def test_lines_are_read_alone() -> None:
    assert not holds("We take 3 +\n5 = 9")
    assert every_line_holds("We take 3 +\n5 = 9")
    assert every_line_holds("3 + 5 = 8\n8 > 7\nAnswer: 8")
    assert not every_line_holds("3 + 5 = 8\n8 > 9\nAnswer: 8")
