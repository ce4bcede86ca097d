"""Settings: defaults, file, environment, arguments, in this order; all problems at once, secrets never shown."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize.cache_settings import CacheInput, CacheSettings
from personalize.errors import SettingsError
from personalize.privacy_settings import PrivacySettings, PurposeAge
from personalize.problems import Problem, render
from personalize.proxy_settings import ProxySettings
from personalize.settings import (
    CookieSettings,
    IngestSettings,
    InterestSettings,
    Settings,
    VisitSettings,
    describe_settings,
    load_settings,
)
from personalize.webhook_settings import WebhookEndpoint, WebhookSettings

#: A webhook of which a test says the rest.
HOOK = 'webhooks.endpoints = {{a = {{{}, segments = ["b"], secret_file = "k"}}}}'
HOOKED = {"url": "http://crm.example/in", "secret_file": "var/crm.secret", "purpose": "mail"}
KEY = "pXv7Qm2ZrT9bLw4KcN8dHs6JfY3gA5eU"
NEWER_KEY = "uE5Ag3YfJ6sHd8NcK4wLb9TrZ2mQ7vXp"


def written(folder: Path, text: str) -> Path:
    path = folder / "personalize.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(path: Path | None, environ: dict[str, str], **overrides: object) -> tuple[Problem, ...]:
    with pytest.raises(SettingsError) as refused:
        load_settings(path, environ, **overrides)
    return refused.value.problems


# --- where values come from


def test_without_a_file_and_variables_every_setting_has_its_safe_default(tmp_path: Path) -> None:
    assert load_settings(None, {}, root=tmp_path) == Settings(tmp_path)
    found = Settings(tmp_path)
    assert (found.app, found.zone, found.currency, found.currency_digits) == (None, "UTC", "EUR", 2)
    assert (found.language, found.prefix, found.reload) == ("en", "/_personalize", "follow")
    assert (found.off, found.at, found.secret_keys, found.excluded) == (False, None, (), ())
    assert found.time_budget_seconds == 0.05
    assert found.cookie == CookieSettings("pz", 395, "pz_consent")
    assert found.privacy == PrivacySettings("refuse", None, ("measure", "personalize"))
    assert found.ingest == IngestSettings(10_000, 1_000, 0.2)
    assert found.visits == VisitSettings(timedelta(minutes=30), timedelta(days=30), timedelta(days=90))


EVERYTHING = f"""
app = "shop.main:app"
own_facts = "shop.facts:own_facts"
geoip = "data/GeoLite2-City.mmdb"
zone = "Europe/Oslo"
currency = "NOK"
currency_digits = 0
language = "nb-NO"
prefix = "/our/own"
store = "sqlite:data/shop.db"
rules = "desk/rules"
content = "/srv/content"
templates = "desk/templates"
reload = "save"
off = true
at = 1997-10-01
secret_keys = ["{KEY}", "{NEWER_KEY}"]
key_file = "data/key"
excluded = ["/admin/*", "/health"]
count_seen = true
time_budget_seconds = 1

[cookie]
name = "shop"
max_age_days = 30
consent_name = "shop-consent"
arm_name = "shop-arm"

[privacy]
gpc = "refuse"
gpc_since = 2026-05-01
purposes = ["measure", "personalize", "mail"]
consent_text = "2026-05"
forget_after = "90 days"
keep_events = "60 days"
shared_device_header = "x-kiosk"

[privacy.keep]
measure = "30 days"
mail = "1 day"

[ingest]
queue_size = 500
batch_size = 50
flush_seconds = 0.5

[visits]
ends_after = "1 hour"
cooling_after = "2 weeks"
lapsed_after = "60 days"

[interests]
half_life = "90 days"

[proxy]
upstream = "http://127.0.0.1:9000"
upstream_host = "inner.example"
trusted = ["10.0.0.0/8"]
connections = 20
connect_seconds = 2
idle_seconds = 30

[cache]
mode = "variants"
fragments = "ssi"
revalidate = true
clear_site_data = true
refuse_prefetch = true
seconds = 600
slot_requests_per_minute = 90
max_variants = 6
edge_keys = ["{KEY}"]

[cache.inputs]
"page.device" = ["mobile", "desktop"]
visitor.state = ["new"]

[webhooks]
give_up_after = "1 day"
timeout_seconds = 5
allow_http = true
allow_private = true

[webhooks.endpoints.crm]
url = "http://crm.example/in"
segments = ["buyers"]
secret_file = "var/crm.secret"
purpose = "mail"
"""


def test_every_setting_can_be_written_in_the_file(tmp_path: Path) -> None:
    found = load_settings(written(tmp_path, EVERYTHING), {})
    assert found == Settings(
        root=tmp_path,
        app="shop.main:app",
        zone="Europe/Oslo",
        currency="NOK",
        currency_digits=0,
        language="nb-NO",
        prefix="/our/own",
        store=f"sqlite:{tmp_path}/data/shop.db",
        rules=tmp_path / "desk/rules",
        content=Path("/srv/content"),
        templates=tmp_path / "desk/templates",
        own_facts="shop.facts:own_facts",
        geoip=tmp_path / "data/GeoLite2-City.mmdb",
        reload="save",
        off=True,
        at=datetime(1997, 9, 30, 22, tzinfo=UTC),
        secret_keys=(KEY, NEWER_KEY),
        key_file=tmp_path / "data/key",
        excluded=("/admin/*", "/health"),
        count_seen=True,
        time_budget_seconds=1.0,
        cookie=CookieSettings("shop", 30, "shop-consent", "shop-arm"),
        privacy=PrivacySettings(
            gpc="refuse",
            gpc_since=date(2026, 5, 1),
            purposes=("measure", "personalize", "mail"),
            consent_text="2026-05",
            forget_after=timedelta(days=90),
            keep_events=timedelta(days=60),
            keep=(PurposeAge("measure", timedelta(days=30)), PurposeAge("mail", timedelta(days=1))),
            shared_device_header="x-kiosk",
        ),
        ingest=IngestSettings(500, 50, 0.5),
        visits=VisitSettings(timedelta(hours=1), timedelta(days=14), timedelta(days=60)),
        interests=InterestSettings(timedelta(days=90)),
        proxy=ProxySettings("http://127.0.0.1:9000", "inner.example", ("10.0.0.0/8",), 20, 2.0, 30.0),
        cache=CacheSettings(
            mode="variants",
            fragments="ssi",
            revalidate=True,
            clear_site_data=True,
            refuse_prefetch=True,
            seconds=600,
            slot_requests_per_minute=90,
            max_variants=6,
            edge_keys=(KEY,),
            inputs=(CacheInput("page.device", ("mobile", "desktop")), CacheInput("visitor.state", ("new",))),
        ),
        webhooks=WebhookSettings(
            endpoints=(WebhookEndpoint("crm", HOOKED["url"], ("buyers",), HOOKED["secret_file"], HOOKED["purpose"]),),
            give_up_after=timedelta(days=1),
            timeout_seconds=5.0,
            allow_http=True,
            allow_private=True,
        ),
    )
    keys = {help.name: help.name.split(".")[-1] for help in describe_settings()}
    written_names = {name for name, key in keys.items() if f"{key} = " in EVERYTHING or f"[{name}" in EVERYTHING}
    assert len(written_names) == len(describe_settings())


def test_every_setting_can_be_given_by_a_variable(tmp_path: Path) -> None:
    environ = {
        "PERSONALIZE_APP": "shop.main:app",
        "PERSONALIZE_ZONE": "Europe/Oslo",
        "PERSONALIZE_CURRENCY": "NOK",
        "PERSONALIZE_CURRENCY_DIGITS": "0",
        "PERSONALIZE_LANGUAGE": "nb-NO",
        "PERSONALIZE_PREFIX": "/our/own",
        "PERSONALIZE_STORE": "sqlite:data/shop.db",
        "PERSONALIZE_RULES": "desk/rules",
        "PERSONALIZE_CONTENT": "/srv/content",
        "PERSONALIZE_TEMPLATES": "desk/templates",
        "PERSONALIZE_OWN_FACTS": "shop.facts:own_facts",
        "PERSONALIZE_GEOIP": "data/GeoLite2-City.mmdb",
        "PERSONALIZE_RELOAD": "save",
        "PERSONALIZE_OFF": "1",
        "PERSONALIZE_AT": "1997-10-01",
        "PERSONALIZE_SECRET_KEYS": f"{KEY}, {NEWER_KEY}",
        "PERSONALIZE_KEY_FILE": "data/key",
        "PERSONALIZE_EXCLUDED": "/admin/*,/health",
        "PERSONALIZE_COUNT_SEEN": "yes",
        "PERSONALIZE_TIME_BUDGET_SECONDS": "1",
        "PERSONALIZE_COOKIE_NAME": "shop",
        "PERSONALIZE_COOKIE_MAX_AGE_DAYS": "30",
        "PERSONALIZE_COOKIE_CONSENT_NAME": "shop-consent",
        "PERSONALIZE_COOKIE_ARM_NAME": "shop-arm",
        "PERSONALIZE_PRIVACY_GPC": "refuse",
        "PERSONALIZE_PRIVACY_GPC_SINCE": "2026-05-01",
        "PERSONALIZE_PRIVACY_PURPOSES": "measure,personalize,mail",
        "PERSONALIZE_PRIVACY_CONSENT_TEXT": "2026-05",
        "PERSONALIZE_PRIVACY_FORGET_AFTER": "90 days",
        "PERSONALIZE_PRIVACY_KEEP_EVENTS": "60 days",
        "PERSONALIZE_PRIVACY_KEEP": "measure=30 days, mail=1 day",
        "PERSONALIZE_PRIVACY_SHARED_DEVICE_HEADER": "x-kiosk",
        "PERSONALIZE_INGEST_QUEUE_SIZE": "500",
        "PERSONALIZE_INGEST_BATCH_SIZE": "50",
        "PERSONALIZE_INGEST_FLUSH_SECONDS": "0.5",
        "PERSONALIZE_VISITS_ENDS_AFTER": "1 hour",
        "PERSONALIZE_VISITS_COOLING_AFTER": "2 weeks",
        "PERSONALIZE_VISITS_LAPSED_AFTER": "60 days",
        "PERSONALIZE_INTERESTS_HALF_LIFE": "90 days",
        "PERSONALIZE_PROXY_UPSTREAM": "HTTP://127.0.0.1:9000/",
        "PERSONALIZE_PROXY_UPSTREAM_HOST": "inner.example",
        "PERSONALIZE_PROXY_TRUSTED": "10.0.0.0/8",
        "PERSONALIZE_PROXY_CONNECTIONS": "20",
        "PERSONALIZE_PROXY_CONNECT_SECONDS": "2",
        "PERSONALIZE_PROXY_IDLE_SECONDS": "30",
        "PERSONALIZE_CACHE_MODE": "variants",
        "PERSONALIZE_CACHE_FRAGMENTS": "ssi",
        "PERSONALIZE_CACHE_REVALIDATE": "yes",
        "PERSONALIZE_CACHE_CLEAR_SITE_DATA": "yes",
        "PERSONALIZE_CACHE_REFUSE_PREFETCH": "yes",
        "PERSONALIZE_CACHE_SECONDS": "600",
        "PERSONALIZE_CACHE_SLOT_REQUESTS_PER_MINUTE": "90",
        "PERSONALIZE_CACHE_MAX_VARIANTS": "6",
        "PERSONALIZE_CACHE_EDGE_KEYS": KEY,
        "PERSONALIZE_CACHE_INPUTS": "page.device=mobile|desktop, visitor.state = new",
        "PERSONALIZE_WEBHOOKS_ENDPOINTS": json.dumps({"crm": {**HOOKED, "segments": ["buyers"]}}),
        "PERSONALIZE_WEBHOOKS_GIVE_UP_AFTER": "1 day",
        "PERSONALIZE_WEBHOOKS_TIMEOUT_SECONDS": "5",
        "PERSONALIZE_WEBHOOKS_ALLOW_HTTP": "yes",
        "PERSONALIZE_WEBHOOKS_ALLOW_PRIVATE": "yes",
    }
    assert set(environ) == {help.env for help in describe_settings()}
    from_file = load_settings(written(tmp_path, EVERYTHING), {})
    assert load_settings(None, environ, root=tmp_path) == from_file


def test_an_argument_counts_before_a_variable_and_that_before_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'currency = "NOK"\nlanguage = "nb"\nzone = "Europe/Oslo"\n')
    found = load_settings(
        path, {"PERSONALIZE_CURRENCY": "SEK", "PERSONALIZE_LANGUAGE": "sv"}, currency="DKK", cookie_name="mine"
    )
    assert (found.currency, found.language, found.zone) == ("DKK", "sv", "Europe/Oslo")
    assert found.cookie.name == "mine"


def test_an_argument_that_is_none_and_an_empty_variable_count_as_not_given(tmp_path: Path) -> None:
    path = written(tmp_path, 'currency = "NOK"\n')
    assert load_settings(path, {"PERSONALIZE_CURRENCY": ""}, currency=None, at=None).currency == "NOK"


def test_a_variable_can_name_the_file_and_an_argument_counts_before_it(tmp_path: Path) -> None:
    path = written(tmp_path, 'currency = "NOK"\n')
    environ = {"PERSONALIZE_SETTINGS": str(path)}
    assert load_settings(None, environ).root == tmp_path
    (tmp_path / "other").mkdir()
    other = written(tmp_path / "other", 'currency = "SEK"\n')
    assert load_settings(other, environ).currency == "SEK"


def test_variables_of_others_are_not_read() -> None:
    others = {"ZONE": "nowhere", "PERSONALIZED_ZONE": "nowhere", "PERSONALIZE_TEST_ZONE": "x"}
    assert load_settings(None, {**others, "PERSONALIZE_COMPILED": "1"}).zone == "UTC"


@pytest.mark.parametrize(("text", "off"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("FALSE", False)])
def test_a_switch_is_read_from_the_usual_words(text: str, off: bool) -> None:
    assert load_settings(None, {"PERSONALIZE_OFF": text}).off is off


# --- paths and moments


def test_relative_paths_are_resolved_beside_the_file_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "")
    monkeypatch.chdir(tmp_path)
    found = load_settings(Path("personalize.toml"), {})
    assert found.root == tmp_path
    assert found.rules == tmp_path / "rules"
    assert found.store == f"sqlite:{tmp_path}/var/personalize.db"


@pytest.mark.parametrize("store", ["sqlite::memory:", "sqlite:/srv/shop.db", "memory:", "postgresql://db/shop"])
def test_other_stores_and_absolute_paths_stay_as_they_are(tmp_path: Path, store: str) -> None:
    assert load_settings(None, {}, root=tmp_path, store=store).store == store


@pytest.mark.parametrize(
    ("at", "moment"),
    [
        ("2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-07-01T12:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-12-01 12:00:30", datetime(2026, 12, 1, 11, 0, 30, tzinfo=UTC)),
        ("2026-07-01T12:00:00Z", datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("2026-07-01T12:00:00-05:00", datetime(2026, 7, 1, 17, tzinfo=UTC)),
    ],
)
def test_a_moment_without_a_zone_means_the_sites_and_a_date_its_midnight(at: str, moment: datetime) -> None:
    by_text = load_settings(None, {"PERSONALIZE_ZONE": "Europe/Oslo", "PERSONALIZE_AT": at}).at
    assert by_text == moment
    assert by_text is not None and by_text.tzinfo == UTC


def test_a_moment_can_be_a_value_of_toml_or_of_python(tmp_path: Path) -> None:
    path = written(tmp_path, 'zone = "Europe/Oslo"\nat = 2026-07-01T12:00:00\n')
    assert load_settings(path, {}).at == datetime(2026, 7, 1, 10, tzinfo=UTC)
    east = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=8)))
    assert load_settings(None, {}, at=east).at == datetime(2026, 7, 1, 4, tzinfo=UTC)


# --- what is refused


def test_all_problems_of_all_places_are_told_at_once_with_lines_and_guesses(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'zone = "Europe/Olso"\ncurency = "NOK"\ncookie.nam = "x"\n\n'
        '[cokie]\nname = "b"\n\n[ingest]\nqueue_size = "5"\nname = 1\n',
    )
    found = problems_of(path, {"PERSONALIZE_OF": "1", "PERSONALIZE_CURRENCY": "kr"}, at="soon", zoen="UTC")
    file = str(path)
    assert [(problem.code, problem.file, problem.line) for problem in found] == [
        ("E053", None, None),
        ("E052", None, None),
        ("E053", None, None),
        ("E052", None, None),
        ("E053", file, 1),
        ("E052", file, 2),
        ("E052", file, 3),
        ("E052", file, 5),
        ("E053", file, 9),
        ("E052", file, 10),
    ]
    told = "\n".join(map(str, found))
    for words in (
        '"Europe/Olso" is not a time zone; did you mean `Europe/Oslo`?',
        '"curency" is not a setting (did you mean `currency`?)',
        '"cookie.nam" is not a setting (did you mean `cookie.name`?)',
        '"cokie" is not a setting (did you mean `cookie`?)',
        '`ingest.queue_size`: "5" does not fit: it takes a whole number from 1 to 10,000,000',
        '"PERSONALIZE_OF" is not a setting (did you mean `PERSONALIZE_OFF`?)',
        '`PERSONALIZE_CURRENCY`: "kr" does not fit: it takes three capital letters such as EUR',
        '`at`: "soon" is not a moment: write 1997-10-01 or 1997-10-01T12:00',
        '"zoen" is not a setting (did you mean `zone`?)',
    ):
        assert words in told


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("zone = 5", "not a time zone"),
        ('currency_digits = "2"', "a whole number from 0 to 4"),
        ("currency_digits = true", "a whole number from 0 to 4"),
        ("currency_digits = 2.0", "a whole number from 0 to 4"),
        ("currency_digits = 5", "a whole number from 0 to 4"),
        ('language = "norsk!"', "a language tag"),
        ('prefix = "personalize"', "a path such as /_personalize"),
        ('prefix = "/"', "a path such as /_personalize"),
        ('prefix = "/x/"', "without a / at its end"),
        ('app = "shop"', "a module and a name"),
        ('store = ""', "not a text"),
        ("rules = 1", "not a path"),
        ('rules = " "', "not a path"),
        ('reload = "sav"', "it takes `follow` or `save`; did you mean `save`?"),
        ('off = "yes"', "true or false"),
        ("off = 1", "true or false"),
        ("at = 12:00:00", "not a moment"),
        ('at = "1997-13-01"', "not a moment"),
        ('excluded = "/admin"', "a list of paths"),
        ("excluded = [1]", "a list of paths"),
        ('excluded = ["admin"]', '"admin" does not fit'),
        ('proxy.upstream = "127.0.0.1:9000"', "it takes an address such as http://127.0.0.1:9000, without a path"),
        ('proxy.upstream = "http://a/b"', "it takes an address such as http://127.0.0.1:9000, without a path"),
        ('proxy.upstream = "http://a:0"', "a port is a number from 1 to 65,535"),
        ('proxy.trusted = ["*"]', '"*" is not an address or a network such as 10.0.0.0/8'),
        ('excluded = ["/a/*/b"]', "only at its end"),
        ('excluded = ["/a", "/a"]', "names one of them twice"),
        ("time_budget_seconds = 0", "a number from 0.001 to 10"),
        ("time_budget_seconds = nan", "a number from 0.001 to 10"),
        ("time_budget_seconds = true", "a number from 0.001 to 10"),
        ("cookie = 5", "write [cookie] in a line of its own"),
        ("cookie.max_age_days = 401", "a whole number from 1 to 400"),
        ('cookie.name = "a b"', "letters, digits, - and _"),
        ('cookie.name = "__Host-pz"', "letters, digits, - and _"),
        ('privacy.gpc = "allow"', "`refuse` or `ignore`"),
        ("privacy.purposes = []", "at least one purpose"),
        ('privacy.purposes = ["Mail!"]', '"Mail!" is not a purpose'),
        ('privacy.keep = "90 days"', 'such as measure = "90 days"'),
        ('privacy.keep = {mail = "9 dyas"}', '"mail": "dyas" in "9 dyas" is not a unit'),
        ('privacy.keep = {"Mail!" = "9 days"}', '"Mail!" is not a purpose'),
        ("visits.ends_after = 30", 'write text such as "30 days"'),
        ('visits.ends_after = "30 dyas"', "did you mean `days`?"),
        ('visits.ends_after = "0 days"', "more than nothing"),
        ('cache.mode = "shared"', "it takes `private` or `variants` or `fragments`"),
        ("cache.seconds = 0", "a whole number from 1"),
        ('cache.inputs = ["page.device"]', 'such as "page.device" = ["mobile", "desktop"]'),
        ('cache.inputs = {device = ["mobile"]}', '"device" is not the name of a fact'),
        ('cache.inputs = {page.device = "mobile"}', '"page.device" needs a list of texts'),
        ("cache.inputs = {page.device = []}", '"page.device" needs a list of texts'),
        ('cache.inputs = {page.device = ["a", "a"]}', '"page.device" names a value twice'),
        ('cache.inputs = {page.city = ["New York"]}', '"New York" does not fit'),
        (
            'cache.inputs = {page.query.a_b = ["x"], page.query.a-b = ["x"]}',
            "in one header, X-Personalize-Page-Query-A-B",
        ),
        ('webhooks.endpoints = ["crm"]', "it takes a table for each webhook"),
        ("webhooks.endpoints = {crm = {}}", '"crm" needs `url`'),
        ('webhooks.endpoints = {"C R M" = {url = "x"}}', '"C R M" is no name of a webhook'),
        (HOOK.format('url = "crm.example"'), "`url` takes a whole address"),
        (HOOK.format('url = "ftp://crm.example/"'), "`url` takes a whole address"),
        (HOOK.format('url = "https://me:canary@crm.example/"'), "`url` takes neither a login nor a fragment"),
        (HOOK.format('url = "https://crm.example/", urls = 1'), 'has no "urls"; did you mean `url`?'),
        (HOOK.format('url = "https://crm.example/", purpose = "E-Mail!"'), '"E-Mail!" is no purpose'),
        (
            'webhooks.endpoints = {a = {url = "https://a.example/", segments = [], secret_file = "k"}}',
            "takes a list of",
        ),
        ('webhooks.endpoints = {a = {url = "https://a.example/", segments = ["b"], secret_file = ""}}', "takes a path"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_what_the_setting_takes(tmp_path: Path, line: str, says: str) -> None:
    found = problems_of(written(tmp_path, f"# ours\n{line}\n"), {})
    assert len(found) == 1
    assert found[0].code == "E053"
    assert found[0].line == 2
    assert says in found[0].message


@pytest.mark.parametrize(
    "lines",
    [
        'visits.ends_after = "30 days"',
        'visits.cooling_after = "100 days"',
        'cookie.consent_name = "pz"',
        'cookie.arm_name = "pz_consent"',
        'privacy = {gpc = "ignore", gpc_since = "2026-05-01"}',
        "ingest.batch_size = 20_000",
        'cache.inputs = {page.device = ["mobile"]}',
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path: Path, lines: str) -> None:
    assert [problem.code for problem in problems_of(written(tmp_path, lines), {})] == ["E055"]


def test_broken_toml_is_told_with_its_place(tmp_path: Path) -> None:
    text = 'zone = "UTC"\ncurrency = NOK\n'
    (problem,) = problems_of(written(tmp_path, text), {})
    assert (problem.code, problem.line) == ("E051", 2)
    assert "currency = NOK" in render(problem, text)


def test_a_file_that_is_missing_a_folder_or_not_utf_8_is_told(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes('language = "bokmål"'.encode("latin-1"))
    for path in (tmp_path / "missing.toml", tmp_path, latin):
        (problem,) = problems_of(path, {})
        assert problem.code == "E050"
        assert problem.file == str(path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, '\ufeffcurrency = "NOK"\n'), {}).currency == "NOK"


# --- keys


@pytest.mark.parametrize(
    "key",
    [
        KEY[:31],
        "a" * 40,
        "abcdefgh" * 5,
        "aaaaaaaabbbbbbbbaaaaaaaaccccccccaaaaaaad",
        "changeme-changeme-0123456789-abcdef",
        "please-use-an-example-key-of-32-letters",
        "my-very-secret-password-is-quite-long-1",
    ],
)
def test_a_short_or_guessable_key_is_refused_and_never_shown(tmp_path: Path, key: str) -> None:
    by_file = problems_of(written(tmp_path, f'secret_keys = ["{KEY}", "{key}"]\n'), {})
    by_variable = problems_of(None, {"PERSONALIZE_SECRET_KEYS": f"{KEY},{key}"})
    for found in (by_file, by_variable):
        assert [problem.code for problem in found] == ["E054"]
        assert "key 2" in found[0].message
        assert key not in str(found[0]) and KEY not in str(found[0])


def test_keys_of_the_wrong_type_are_not_shown_either(tmp_path: Path) -> None:
    for line in (f'secret_keys = "{KEY}"', f'secret_keys = ["{KEY}", 1]', f'secret_keys = ["{KEY}", "{KEY}"]'):
        found = problems_of(written(tmp_path, line), {})
        assert [problem.code for problem in found] == ["E054"]
        assert KEY not in str(found[0])


def test_printed_settings_show_neither_keys_nor_the_stores_password(tmp_path: Path) -> None:
    found = load_settings(None, {}, root=tmp_path, secret_keys=(KEY,), store="postgresql://me:hush@db/shop")
    assert KEY not in repr(found)
    assert "hush" not in repr(found)


# --- documentation


def test_every_setting_is_described_with_variable_type_default_and_use() -> None:
    names = {help.name for help in describe_settings()}
    expected: set[str] = set()
    for each in fields(Settings):
        if is_dataclass(each.default):
            expected |= {f"{each.name}.{inner.name}" for inner in fields(each.default)}
        elif each.name != "root":
            expected.add(each.name)
    assert names == expected
    for help in describe_settings():
        assert help.env == "PERSONALIZE_" + help.name.replace(".", "_").upper()
        assert help.type
        assert help.help.endswith(".") and help.help[0].isupper()


def test_a_printed_default_is_read_as_the_default() -> None:
    environ = {help.env: help.default for help in describe_settings() if help.default}
    assert load_settings(None, environ) == load_settings(None, {})
    assert {"30 minutes", "false", "measure, personalize", "0.05"} <= set(environ.values())


# --- laws


@given(
    environ=st.dictionaries(
        st.sampled_from([help.env for help in describe_settings()] + ["PERSONALIZE_X"]), st.text(), max_size=4
    )
)
def test_any_environment_gives_settings_or_a_settings_error(environ: dict[str, str]) -> None:
    try:
        assert load_settings(None, environ).root.is_absolute()
    except SettingsError as refused:
        assert refused.problems


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.lists(
        st.sampled_from(
            ["zone", "cookie", "at", "excluded", "=", "[", "]", "{", "}", '"', "\n", ".", "1", " ", "#", "9" * 5_000]
        ),
        max_size=12,
    ).map("".join)
)
def test_any_file_gives_settings_or_a_settings_error(tmp_path: Path, text: str) -> None:
    try:
        assert load_settings(written(tmp_path, text), {}).root == tmp_path
    except SettingsError as refused:
        assert refused.problems


def test_a_webhook_over_http_has_to_be_allowed(tmp_path: Path) -> None:
    line = HOOK.format('url = "http://crm.example/"')
    (found,) = problems_of(written(tmp_path, f"{line}\n"), {})
    assert (found.code, "would be told over http" in found.message) == ("E055", True)
    allowed = load_settings(written(tmp_path, f"{line}\nwebhooks.allow_http = true\n"), {})
    assert allowed.webhooks.endpoints[0].url == "http://crm.example/"
