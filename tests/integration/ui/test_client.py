"""The one call programs may make on the pages' server, over the wire."""

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.pages import Pages
from tests.people import EVERYONE


@pytest.fixture
def client(address: str) -> Client:
    return Client(address, verbose=False)


def test_ask_streams_and_ends_with_answer_and_card(client: Client, made: Pages) -> None:
    job = client.submit("How much?", "standard", "math", api_name="/ask")
    answer, meter, card, notice = job.result(timeout=30)
    assert "301" in answer
    assert "Refinement passes" in card
    assert (meter, notice) == ("", "")
    assert len(job.outputs()) > 3
    assert len(made.dashboard.overview(EVERYONE).points) == 1


def test_a_program_gets_its_error_as_an_error(client: Client) -> None:
    with pytest.raises(AppError, match="Please type a question"):
        client.predict(" ", "high", "math", api_name="/ask")


def test_every_call_of_a_program_runs_by_itself(client: Client, made: Pages) -> None:
    for _ in range(2):
        client.predict("How much?", "routine", "general", api_name="/ask")
    assert len(made.engine.jobs) == 2


def test_no_event_pays_for_figures_of_all_events_before_it(client: Client, made: Pages) -> None:
    """Gradio's own of how long each took, which nobody can read here."""
    client.predict("How much?", "routine", "general", api_name="/ask")
    queue = made.demo._queue
    assert (queue.events_recorded, queue.cached_event_analytics_summary["functions"]) == (1, {})
