"""Errors at the seam to Gradio: told in the reader's words, bugs loud in the log only."""

import logging
from collections.abc import Iterator
from inspect import isgeneratorfunction

import gradio as gr
import pytest

from app.guarded import guarded, guarded_stream, words
from policies.errors import InvalidInput


def reader(accept: str = "en", **query: str) -> gr.Request:
    return gr.Request(headers={"accept-language": accept}, query_params=query, session_hash="tab")


@guarded
def refuse(_request: gr.Request) -> None:
    raise InvalidInput("it is empty", reason="empty_question")


@guarded
def break_down(_request: gr.Request) -> None:
    raise KeyError("/secret/place")


@guarded_stream
def break_midway(_request: gr.Request) -> Iterator[int]:
    yield 1
    raise InvalidInput("<b>bad</b>")


@pytest.mark.parametrize(("accept", "said"), [("en", "Please type"), ("ja", "先に質問を")])
def test_a_pilot_error_reaches_the_reader_in_their_words(accept: str, said: str) -> None:
    with pytest.raises(gr.Error) as shown:
        refuse(reader(accept))
    assert said in shown.value.message
    assert not shown.value.print_exception


def test_a_bug_is_logged_and_says_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as shown:
        break_down(reader())
    assert "secret" not in shown.value.message
    assert "secret" in caplog.text


def test_a_stream_gives_what_it_had_then_the_error_without_markup() -> None:
    stream = break_midway(reader())
    assert isgeneratorfunction(break_midway)
    assert next(stream) == 1
    with pytest.raises(gr.Error) as shown:
        next(stream)
    assert "&lt;b&gt;bad" in shown.value.message


def test_the_address_rules_over_the_browser() -> None:
    assert words(reader("ja", lang="en")).language == "en"
    assert words(reader("ja")).language == "ja"
    assert words(None).language == "en"
