"""What a User-Agent says: robot or person, kind of device, browser and system.

A browser's name has a shape that robots seldom bother with, so most of them are told by that; the rest by words
that appear in the lists of monperrus/crawler-user-agents, and by health checks that the lists miss. No browser
may be taken for a robot; a robot that calls itself a browser can't be told apart and counts as a person.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_REMEMBERED: Final = 4_000
_LONGEST: Final = 1_000

_BOT: Final = re.compile(
    r"(?<!cu)bot\b|(?<!cu)bot[/_;)\-]|bots\b|crawl|spider|slurp|scan(?:ner)?\b|archive|fetch|monitor|uptime|pingdom|preview|prerender"
    r"|headless|phantomjs|puppeteer|playwright|selenium|lighthouse|pagespeed|gtmetrix|speedcurve"
    r"|curl/|wget|python|httpx/|aiohttp|urllib|java/|okhttp|go-http-client|node-fetch|axios|undici|libwww|perl|ruby|php/"
    r"|apache-httpclient|httpclient|http_client|winhttp|feed|rss|validator|checker|check_http|probe|healthcheck"
    r"|elb-health|kube-probe|googlehc|blackbox|prometheus|zabbix|nagios|datadog|newrelic|statuscake|site24x7|cloudflare-"
    r"|facebookexternalhit|embedly|skypeuri|vkshare|imageproxy|scrap(?:er|y)|watcher|nikto|openvas|zgrab|outbrain|ptst/"
    r"|hotjar version|siteimprove|silktide|securityheaders|dareboost|hardenize|splash|newsnow|criticalcss|miniature\.io"
    r"|google-|googleother|google favicon|mediapartners|adsbot|apis-google|feedfetcher|bingpreview"
    r"|yandex(?!browser|search)"
    r"|baidu(?!boxapp|browser)|sogou(?! ?mobile|mse|explorer)|duckduck(?:go-fav|bot)|applebot|petal|semrush"
    r"|ahrefs|majestic"
    r"|dotbot|screaming frog|gpt|claude|anthropic|perplexity|cohere|bytespider|ccbot|diffbot|ia_archiver|nutch|heritrix"
    r"|https?:|www\.|@[\w-]+\.\w+|link(?!edinapp)|agent|brandverity|appinsights|inspector|indexer|seo\b|subscribers",
    re.IGNORECASE | re.ASCII,
)
#: How browsers begin, and old ones that say "compatible" like most robots do.
_BROWSER_SHAPE: Final = re.compile(r"(?:Mozilla/\d|Opera/\d|BlackBerry|Nokia|SonyEricsson|SAMSUNG-|Dalvik/)")
_COMPATIBLE: Final = re.compile(r"compatible; (?!MSIE|Konqueror)")
_TABLET: Final = re.compile(r"ipad|tablet|kindle|silk/|playbook|^(?!.*mobi).*android", re.IGNORECASE)
_MOBILE: Final = re.compile(r"mobi|iphone|ipod|android|windows phone|blackberry|opera mini", re.IGNORECASE)
_DESKTOP: Final = re.compile(r"windows nt|macintosh|x11|cros|linux", re.IGNORECASE)

#: In order: the first that is found names the browser, since most call themselves by several names.
_BROWSERS = (
    (re.compile(r"edg(?:e|a|ios)?/", re.IGNORECASE), "Edge"),
    (re.compile(r"opr/|opera|opios/", re.IGNORECASE), "Opera"),
    (re.compile(r"samsungbrowser/", re.IGNORECASE), "Samsung Internet"),
    (re.compile(r"yabrowser/", re.IGNORECASE), "Yandex"),
    (re.compile(r"vivaldi/", re.IGNORECASE), "Vivaldi"),
    (re.compile(r"firefox/|fxios/", re.IGNORECASE), "Firefox"),
    (re.compile(r"chrome/|crios/|chromium/", re.IGNORECASE), "Chrome"),
    (re.compile(r"version/[\d.]+ .*safari/|iphone|ipad", re.IGNORECASE), "Safari"),
)
_SYSTEMS = (
    (re.compile(r"windows", re.IGNORECASE), "Windows"),
    (re.compile(r"iphone|ipad|ipod", re.IGNORECASE), "iOS"),
    (re.compile(r"android", re.IGNORECASE), "Android"),
    (re.compile(r"mac os x|macintosh", re.IGNORECASE), "macOS"),
    (re.compile(r"cros", re.IGNORECASE), "ChromeOS"),
    (re.compile(r"linux|x11", re.IGNORECASE), "Linux"),
)


@dataclass(frozen=True, slots=True)
class Agent:
    """What is known of a client: `device` is desktop, mobile, tablet, bot or other."""

    is_bot: bool
    device: str
    browser: str | None
    os: str | None


@lru_cache(maxsize=_REMEMBERED)
def agent_of(user_agent: bytes) -> Agent:
    """What a User-Agent header says; a client that says nothing is a robot."""
    text = user_agent[:_LONGEST].decode("latin-1")
    if _BROWSER_SHAPE.match(text) is None or _COMPATIBLE.search(text) or _BOT.search(text):
        return Agent(is_bot=True, device="bot", browser=None, os=None)
    return Agent(is_bot=False, device=_device(text), browser=_first(_BROWSERS, text), os=_first(_SYSTEMS, text))


def _device(text: str) -> str:
    for pattern, device in ((_TABLET, "tablet"), (_MOBILE, "mobile"), (_DESKTOP, "desktop")):
        if pattern.search(text):
            return device
    return "other"


def _first(table: tuple[tuple[re.Pattern[str], str], ...], text: str) -> str | None:
    return next((name for pattern, name in table if pattern.search(text)), None)
