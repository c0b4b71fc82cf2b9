"""The gate by direct HTTP: who has not signed in gets the sign-in page or 401, never data."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client as GradioClient

from app.guarded import COOKIE
from app.ports import Client
from app.services.accounts import Auth
from app.services.own_account import OwnAccount
from app.views.sign_in_gate import LARGEST_BODY, Tabs
from policies.roles import Role
from tests.actors import ADMIN
from tests.integration.ui.gated import Site, routes, site
from tests.serving import PASSWORD

HTML = {"accept": "text/html"}
QUESTION = "How much is the secret discount?"
SAID = "plus 45 is 301"
"""What the engine writes. Words, for a stream is full of random ids and durations with digits."""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests here: pages take seconds to build."""
    yield from site(tmp_path_factory.mktemp("local"), Auth.LOCAL)


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    yield from site(tmp_path_factory.mktemp("off"), Auth.OFF)


def ask(browser: httpx.Client, tab: str, question: str = QUESTION) -> httpx.Response:
    config = browser.get("/config").json()
    number = next(d["id"] for d in config["dependencies"] if d["api_name"] == "ask")
    body = {
        "data": [question, "routine", "general", None],
        "fn_index": number,
        "session_hash": tab,
    }
    return browser.post("/gradio_api/queue/join", json=body)


def results(browser: httpx.Client, tab: str) -> str:
    with browser.stream("GET", "/gradio_api/queue/data", params={"session_hash": tab}) as stream:
        assert stream.status_code == 200
        return "".join(stream.iter_text())


def test_every_route_is_closed_to_who_has_not_signed_in(local: Site) -> None:
    """All that is mounted, as it is found, and not a list that someone keeps."""
    open_to_all = {"/sign-in", "/welcome"}
    found = routes(local.app)
    assert len(found) > 60  # Gradio's own are among them
    assert ("POST", "/gradio_api/queue/join") in found
    for token in (None, "made-up"):
        with local.browser(token) as browser:
            for method, path in found:
                if path in open_to_all:
                    continue
                address = re.sub(r"\{[^}]+\}", "x", path)
                answer = browser.request(method, address, headers=HTML)
                told = (answer.status_code, answer.headers.get("location", ""))
                assert told[0] in (401, 404) or (
                    told[0] == 303 and told[1].startswith("/sign-in")
                ), (method, path, told)
                assert len(answer.content) < 100, (method, path)


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=data/l2d.sqlite", "/gradio_api/file=/etc/passwd", "/config", "//config",
        "/./config", "/sign-in/../config", "/sign-in/x", "/welcome/", "/gradio_api/info",
        "/gradio_api/queue/data?session_hash=x", "/gradio_api/heartbeat/x", "/dashboard?x=/sign-in",
    ],
)  # fmt: skip
def test_no_spelling_of_an_address_leads_around_the_gate(local: Site, path: str) -> None:
    with local.browser() as browser:
        answer = browser.send(browser.build_request("GET", local.url + path))
    assert answer.status_code in (401, 303), (path, answer.status_code)
    assert b"components" not in answer.content


def test_a_page_leads_to_the_sign_in_page_and_back(local: Site) -> None:
    local.member("ben")
    with local.browser() as browser:
        turned = browser.get("/dashboard?lang=ja", headers=HTML)
        assert turned.headers["location"] == "/sign-in?next=/dashboard%3Flang%3Dja"
        page = browser.get(turned.headers["location"], headers={"accept-language": "ja"})
        assert "サインイン" in page.text
        assert 'value="/dashboard?lang=ja"' in page.text
        assert 'lang="ja"' in page.text
        form = {"name": "Ben", "password": PASSWORD, "next": "/dashboard?lang=ja"}
        entered = browser.post("/sign-in", data=form)
        assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard?lang=ja")
        assert browser.get("/dashboard", headers=HTML).status_code == 200


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/\n/x"]
)
def test_signing_in_leads_to_no_other_site(local: Site, onward: str) -> None:
    local.member("ben")
    with local.browser() as browser:
        form = {"name": "ben", "password": PASSWORD, "next": onward}
        assert browser.post("/sign-in", data=form).headers["location"] == "/"
        page = browser.get("/sign-in", params={"next": onward})
        assert "evil" not in page.text


def test_the_cookie_is_out_of_reach(local: Site) -> None:
    local.member("ben")
    with local.browser() as browser:
        entered = browser.post("/sign-in", data={"name": "ben", "password": PASSWORD})
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie


def test_the_sign_in_page_says_what_is_wrong_and_escapes_what_was_typed(local: Site) -> None:
    with local.browser() as browser:
        form = {"name": '"><script>x</script>', "password": "wrong"}
        refused = browser.post("/sign-in", data=form, headers={"accept-language": "ja"})
        assert refused.status_code == 401
        assert "名前またはパスワードが違います" in refused.text
        assert "<script" not in refused.text
        for _ in range(5):
            browser.post("/sign-in", data={"name": "ben", "password": "wrong"})
        locked = browser.post("/sign-in", data={"name": "ben", "password": "wrong"})
        assert "try again in 15 minutes" in locked.text
        assert locked.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in locked.headers["content-security-policy"]


def test_a_one_time_link_lets_its_person_choose_a_password(local: Site) -> None:
    link = local.people.first_admin() or ""
    with local.browser() as browser:
        page = browser.get("/welcome", params={"link": link})
        assert "Welcome, admin" in page.text
        assert page.headers["referrer-policy"] == "same-origin"
        unequal = {"link": link, "password": PASSWORD, "again": "another one then"}
        assert "not the same" in browser.post("/welcome", data=unequal).text
        short = {"link": link, "password": "short", "again": "short"}
        assert "10 to 200" in browser.post("/welcome", data=short).text
        form = {"link": link, "password": PASSWORD, "again": PASSWORD}
        assert browser.post("/welcome", data=form).status_code == 303
        assert browser.get("/dashboard", headers=HTML).status_code == 200
        assert browser.get("/welcome", params={"link": link}).status_code == 403
        assert browser.post("/welcome", data=form).status_code == 403


def test_a_session_says_which_browser_it_is_and_from_where(local: Site) -> None:
    """The address is the peer's, or what a proxy on this machine says it was."""
    local.member("uma")
    firefox = "Mozilla/5.0 (Windows NT 10.0; rv:144.0) Gecko/20100101 Firefox/144.0"
    form = {"name": "uma", "password": PASSWORD}
    found = []
    for proxied in ({}, {"x-forwarded-for": "203.0.113.9"}, {"x-forwarded-for": "<script>"}):
        with local.browser() as browser:
            browser.post("/sign-in", data=form, headers={"user-agent": firefox, **proxied})
            own = OwnAccount(local.door, ())
            (this,) = [s for s in own.sessions(browser.cookies[COOKIE]) if s.current]
            found.append(this.client)
    addresses = ("127.0.0.1", "203.0.113.9", "")
    assert found == [Client("Firefox", "Windows", address) for address in addresses]


def test_signing_out_closes_the_pages(local: Site) -> None:
    token = local.member("ben")
    with local.browser(token) as browser:
        assert browser.get("/", headers=HTML).status_code == 200
        left = browser.post("/sign-out")
        assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    with local.browser(token) as browser:  # the old cookie, kept by someone
        assert browser.get("/config").status_code == 401


def test_a_disabled_account_is_out_with_the_next_call(local: Site) -> None:
    token = local.member("ben")
    with local.browser(token) as browser:
        assert browser.get("/config").status_code == 200
        local.people.disable(ADMIN, "ben")
        assert browser.get("/config").status_code == 401


def test_a_person_asks_as_themselves(local: Site) -> None:
    with local.browser(local.member("ben")) as browser:
        assert ask(browser, "bens-tab").status_code == 200
        assert SAID in results(browser, "bens-tab")
    assert (local.latest().user, local.latest().team) == ("ben", "sales")


def test_a_role_that_may_not_ask_is_refused_by_the_service(local: Site) -> None:
    before = len(local.made.engine.jobs)
    with local.browser(local.member("gus", Role.VIEWER)) as browser:
        assert ask(browser, "tab-1").status_code == 200  # it is queued,
        assert SAID not in results(browser, "tab-1")  # and refused
    assert len(local.made.engine.jobs) == before


def test_a_program_asks_with_a_session_and_not_without(local: Site) -> None:
    token = local.member("ben")
    with pytest.raises(ValueError, match="credentials were not provided"):
        GradioClient(local.url, verbose=False)
    patient = {"timeout": 60}  # a busy machine fails no test
    cookie = {"cookie": f"{COOKIE}={token}"}
    client = GradioClient(local.url, verbose=False, headers=cookie, httpx_kwargs=patient)
    answer, *_ = client.predict(QUESTION, "routine", "general", api_name="/ask")
    assert SAID in answer


def test_knowing_someones_tab_opens_nothing(local: Site) -> None:
    ben, cho = local.member("ben"), local.member("cho")
    with local.browser(ben) as mine, local.browser(cho) as theirs:
        assert ask(mine, "bens-tab").status_code == 200
        looks = [
            theirs.get("/gradio_api/queue/data", params={"session_hash": "bens-tab"}),
            theirs.get("/gradio_api/heartbeat/bens-tab"),
            theirs.get("/gradio_api/stream/bens-tab/1/2/playlist.m3u8"),
            ask(theirs, "bens-tab"),
            theirs.post(
                "/gradio_api/cancel",
                json={"session_hash": "bens-tab", "fn_index": 0, "event_id": "x"},
            ),
            theirs.post(
                "/gradio_api/run/predict",
                json={"session_hash": "bens-tab", "fn_index": 0, "data": []},
            ),
        ]
        assert [look.status_code for look in looks] == [403] * len(looks)
        assert all(SAID not in look.text for look in looks)
        assert SAID in results(mine, "bens-tab")


def test_what_no_page_needs_is_not_there(local: Site) -> None:
    with local.browser(local.member("ben")) as browser:
        for path in (
            "upload", "proxy=http://127.0.0.1", "vibe-edit/", "process_recording",
            "component_server", "profiling/summary", "run-history/buckets",
        ):  # fmt: skip
            for method in ("GET", "POST"):
                answer = browser.request(method, f"/gradio_api/{path}")
                assert answer.status_code == 404, (method, path)
        for path in ("/etc/passwd", "data/l2d.sqlite", str(Path(__file__).resolve())):
            assert browser.get(f"/gradio_api/file={path}").status_code in (403, 404)


def test_another_site_changes_nothing(local: Site) -> None:
    with local.browser(local.member("ben")) as browser:
        for path in ("/sign-in", "/sign-out", "/act-as", "/gradio_api/queue/join"):
            for origin in ("https://evil.example", "null", "http://127.0.0.1"):
                assert browser.post(path, headers={"origin": origin}).status_code == 403
        assert browser.get("/config").status_code == 200  # still signed in
        assert browser.post("/sign-out", headers={"origin": local.url}).status_code == 303


def test_a_body_that_is_too_large_is_refused(local: Site) -> None:
    with local.browser(local.member("ben")) as browser:
        body = json.dumps({"data": ["x" * LARGEST_BODY]})
        assert browser.post("/gradio_api/queue/join", content=body).status_code == 413


def test_nobody_acts_as_another_where_people_sign_in(local: Site) -> None:
    with local.browser(local.member("ben")) as browser:
        assert browser.post("/act-as", data={"user": "chika"}).status_code == 403


def test_no_tab_is_remembered_for_ever() -> None:
    tabs = Tabs()
    for number in range(30_000):
        assert tabs.owner(f"t{number}", "ben") == "ben"
    assert tabs.owner("t29999", "cho") == "ben"
    assert tabs.owner("t0", "cho") == "cho"


# --- without sign-in ------------------------------------------------------------------------------


def test_without_sign_in_the_pages_are_open_and_one_may_act_as_others(off: Site) -> None:
    with off.browser() as browser:
        assert browser.get("/", headers=HTML).status_code == 200
        chosen = browser.post("/act-as", data={"user": "ben", "next": "/dashboard"})
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/dashboard")
        assert ask(browser, "tab").status_code == 200
        assert SAID in results(browser, "tab")
        assert browser.post("/act-as", data={"user": "mallory"}).status_code == 403
        browser.post("/act-as", data={"user": "chika"})
        ask(browser, "tab-2")
        assert SAID not in results(browser, "tab-2")  # a reviewer may not ask
    assert off.latest().user == "ben"
    with off.made.uow() as uow:
        acted = [e.event.by for e in uow.audit.entries() if e.event.action == "login.acting"]
    assert acted == ["ben", "chika"]


def test_a_name_in_the_cookie_is_nobody(off: Site) -> None:
    assert off.door.actor("chika").user == "local"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "localhost.evil.example", ""]
)
def test_without_sign_in_a_name_pointed_at_this_machine_reads_nothing(off: Site, host: str) -> None:
    with off.browser() as browser:
        assert browser.get("/config", headers={"host": host}).status_code == 403
        assert browser.get("/config", headers={"host": "localhost:7860"}).status_code == 200
