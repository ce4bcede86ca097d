"""Robots, people and what they browse with, told by what a User-Agent says."""

import json
from pathlib import Path

import pytest

from personalize.web.request.agents import Agent, agent_of

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_lists = pytest.mark.skipif(
    not (DATA / "crawler-user-agents").is_dir(), reason="needs the public lists in ../shared/data"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 13; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 {}Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/151.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "device", "browser", "system"),
    [
        (WINDOWS, "desktop", "Chrome", "Windows"),
        (f"{WINDOWS} Edg/151.0", "desktop", "Edge", "Windows"),
        (f"{WINDOWS} OPR/120.0", "desktop", "Opera", "Windows"),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "desktop",
            "Firefox",
            "Linux",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 1) AppleWebKit/537.36 Chrome/120.0 Safari/537.36",
            "desktop",
            "Chrome",
            "ChromeOS",
        ),
        (f"{IPHONE} Version/17.0 Mobile/15E148 Safari/604.1", "mobile", "Safari", "iOS"),
        (f"{IPHONE} CriOS/120.0 Mobile/15E148 Safari/604.1", "mobile", "Chrome", "iOS"),
        (f"{IPHONE} Mobile/15E148 [LinkedInApp]/9.28", "mobile", "Safari", "iOS"),
        (f"{IPHONE} Mobile/15E148 Twitter for iPhone/9.32", "mobile", "Safari", "iOS"),
        (IPHONE.replace("iPhone", "iPad") + " Version/17.0 Safari/604.1", "tablet", "Safari", "iOS"),
        (ANDROID.format("Pixel 8", "Mobile "), "mobile", "Chrome", "Android"),
        (ANDROID.format("CUBOT NOTE 20", "Mobile "), "mobile", "Chrome", "Android"),
        (ANDROID.format("Pixel 8", "Mobile ") + " Telegram-Android/10.2", "mobile", "Chrome", "Android"),
        (ANDROID.format("SM-X710", ""), "tablet", "Chrome", "Android"),
    ],
)
def test_a_person_and_what_they_use(user_agent: str, device: str, browser: str, system: str) -> None:
    assert agent_of(user_agent.encode()) == Agent(is_bot=False, device=device, browser=browser, os=system)


@pytest.mark.parametrize(
    "user_agent",
    [
        *("", "-", "curl/8.5.0", "python-requests/2.31", "Go-http-client/2.0", "WhatsApp/2.23.20.0"),
        *("Blackbox-Exporter/0.24", "ELB-HealthChecker/2.0", "kube-probe/1.27", "GoogleHC/1.0"),
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"{IPHONE} Version/17.0 Mobile/15E148 Safari/604.1 (compatible; Googlebot/2.1)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)",
        f"{WINDOWS.replace('Chrome/', 'HeadlessChrome/')}",
        f"{WINDOWS} Chrome-Lighthouse",
    ],
)
def test_robots_and_health_checks_are_told(user_agent: str) -> None:
    assert agent_of(user_agent.encode()) == Agent(is_bot=True, device="bot", browser=None, os=None)


@pytest.mark.shared_data
@needs_lists
@pytest.mark.shared_data
def test_no_browser_of_today_is_taken_for_a_robot() -> None:
    for name in ("index", "desktop", "mobile"):
        for user_agent in json.loads((DATA / "top-user-agents" / f"{name}.json").read_text()):
            assert not agent_of(user_agent.encode()).is_bot, user_agent


@pytest.mark.shared_data
@needs_lists
@pytest.mark.shared_data
def test_nearly_all_listed_robots_are_told() -> None:
    listed = json.loads((DATA / "crawler-user-agents" / "crawler-user-agents.json").read_text())
    user_agents = [user_agent for robot in listed for user_agent in robot["instances"]]
    told = sum(agent_of(user_agent.encode()).is_bot for user_agent in user_agents)
    assert told / len(user_agents) > 0.98


@pytest.mark.parametrize("text", ["a" * 1_000_000, "android" * 200_000, "(" * 1_000_000, "compatible; " * 100_000])
def test_a_user_agent_without_end_is_read_in_part(text: str) -> None:
    assert agent_of(f"Mozilla/5.0 {text}".encode()).browser is None
