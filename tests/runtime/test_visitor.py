"""Organizations on pages: custom pages for the people of a company, at most one more read, and consent as ever."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from personalize.cli.main import main
from personalize.errors import EventRefused, StoreUnavailable
from personalize.events.event import CONSENT, SET
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.runtime.offline import count_segments
from personalize.runtime.personalizer import Personalizer
from personalize.stores.memory.store import MemoryStore
from personalize.stores.opening import open_store
from personalize.visitors.consent import Consent, granting
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk
from tests.stores.postgres.test_schema import watch
from tests.web.house import page, scope_of, tell

RULES = """
attributes:
  company: {type: text, fold: true}
events:
  purchase: {properties: {amount: {type: money}}, value: amount}
organization:
  title: Company
  by: company
  shares: [purchase]
  attributes:
    plan: {type: choice, choices: [basic, gold]}
segments:
  big-spenders: {who: {organization.purchase.total: {at_least: 500}}}
slots:
  hero:
    rules:
      - {id: gold, to: {organization.plan: gold}, show: things/golden}
      - {id: big, to: {segment: big-spenders}, show: things/thanks}
  row:
    rules:
      - {id: buyers, to: {purchase.count: {at_least: 1}}, show: things/thanks}
personas:
  golden: {given: {organization.plan: gold, organization.purchase.count: 0}, sees: {hero: things/golden}}
"""
ITEMS = {"golden": "For gold", "thanks": "Thank you"}
HERO, ROW = b'<i data-slot="hero">D</i>', b'<i data-slot="row">D</i>'
ALL = granting(["measure", "personalize"])


class CountingStore(MemoryStore):
    """Counts how often profiles and organizations are asked for, and refuses the latter when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.read = self.asked = 0
        self.refuses = False

    def profile_at_once(self, profile_id: str) -> Profile | None:
        """The profile."""
        self.read += 1
        return super().profile_at_once(profile_id)

    async def organization(self, organization_id: str) -> Organization | None:
        """The organization, unless it is refused."""
        self.asked += 1
        if self.refuses:
            raise StoreUnavailable("gone for a test")
        return await super().organization(organization_id)


class Given:
    """Somebody who is logged in, and agreed to so much."""

    def __init__(self, consent: Consent, login: str) -> None:
        self._consent = consent
        self._login = login

    def user_id(self, _scope: Mapping[str, object]) -> str | None:
        """The login."""
        return self._login

    def read(self, _scope: Mapping[str, object]) -> Consent:
        """The decision."""
        return self._consent


Scene = Callable[[PersonalizeMiddleware, CountingStore], Awaitable[None]]


def play(
    folder: Path,
    scene: Scene,
    *,
    consent: Consent = ALL,
    site: bytes = HERO,
    url: str | None = None,
    login: str = "kari",
) -> None:
    """Let a scene happen on a site whose visitor, Kari, belongs to the company "Acme"; with a store in a database where
    one is named."""

    async def whole() -> None:
        write_desk(folder, rules=RULES, items=ITEMS)
        given, store = Given(consent, login), CountingStore()
        kept = store if url is None else open_store(url, folder)
        app = wrap(page(site), desk_settings(folder), store=kept, login=given, consent=given)
        personalizer = app.personalizer
        await personalizer.start()
        await published(app)
        await told(personalizer, CONSENT, {"granted": ["measure", "personalize"]})
        await told(personalizer, SET, {"company": "Acme"})
        try:
            await scene(app, store)
        finally:
            await personalizer.stop()

    asyncio.run(whole())


async def told(personalizer: Personalizer, type_: str, properties: Mapping[str, object], who: str = "u:kari") -> None:
    """Put an event into the log."""
    await personalizer.ingest.record([personalizer.event(type_, who, properties)])  # type: ignore[arg-type]


async def shown(app: PersonalizeMiddleware) -> bytes:
    """The page that the visitor sees."""
    return (await tell(app, scope_of())).body


def test_what_is_known_of_the_company_decides_what_its_people_see(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware, store: CountingStore) -> None:
        assert await shown(app) == HERO
        await app.personalizer.set_organization("ACME", {"plan": "gold"})
        assert b"For gold" in await shown(app)
        await told(app.personalizer, SET, {"company": "Other"})
        assert await shown(app) == HERO
        await told(app.personalizer, SET, {"company": "acme"})
        assert b"For gold" in await shown(app)

    play(tmp_path, scene)


def test_what_the_others_bought_counts_for_all_members(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware, store: CountingStore) -> None:
        for who in ("u:ole", "u:eva"):
            await told(app.personalizer, CONSENT, {"granted": ["personalize"]}, who)
            await told(app.personalizer, SET, {"company": "acme"}, who)
            await app.personalizer.record("purchase", who, {"amount": 300})
        assert b"Thank you" in await shown(app)
        rule_set = app.personalizer.rule_set
        assert rule_set is not None
        settings, now = app.personalizer.settings, datetime.now(UTC)
        assert await count_segments(store, rule_set, settings, now=now) == ({"big-spenders": 3}, 3)
        await told(app.personalizer, CONSENT, {"granted": []}, "u:ole")
        assert await shown(app) == HERO

    play(tmp_path, scene)


def test_a_page_reads_the_organization_once_and_only_where_a_slot_asks(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware, store: CountingStore) -> None:
        await shown(app)
        assert store.asked == 1

    async def without(app: PersonalizeMiddleware, store: CountingStore) -> None:
        await shown(app)
        assert store.asked == 0

    play(tmp_path / "asks", scene, site=HERO + HERO)
    play(tmp_path / "asks-not", without, site=ROW)


@pytest.mark.parametrize("login", ["kari", "of whom nothing is kept"])
def test_a_page_reads_the_profile_once_whether_there_is_one_or_not(tmp_path: Path, login: str) -> None:
    async def scene(app: PersonalizeMiddleware, store: CountingStore) -> None:
        before = store.read
        await shown(app)
        assert store.read == before + 1

    play(tmp_path, scene, site=ROW + ROW, login=login)


@pytest.mark.parametrize("site", [HERO + ROW, ROW], ids=["with its organization", "without"])
def test_a_page_asks_a_database_once_also_where_rules_ask_for_the_organization(
    tmp_path: Path, postgres_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch, site: bytes
) -> None:
    sent = watch(monkeypatch)

    async def scene(app: PersonalizeMiddleware, _: CountingStore) -> None:
        await app.personalizer.set_organization("acme", {"plan": "gold"})
        await asyncio.sleep(0.01)  # asyncpg tells of a statement a little later
        sent.clear()
        assert (b"For gold" in await shown(app)) is (site != ROW)
        await asyncio.sleep(0.01)
        # What is recorded meanwhile locks the rows that it reads.
        assert len([one for one in sent if "FROM projections" in one and "FOR UPDATE" not in one]) == 1

    play(tmp_path, scene, site=site, url=postgres_url())


@pytest.mark.parametrize("consent", [Consent(), granting([]), granting(["measure"])], ids=["unknown", "no", "measure"])
def test_without_consent_nobody_belongs_anywhere(tmp_path: Path, consent: Consent) -> None:
    async def scene(app: PersonalizeMiddleware, store: CountingStore) -> None:
        await app.personalizer.set_organization("acme", {"plan": "gold"})
        assert await shown(app) == HERO

    play(tmp_path, scene, consent=consent)


def test_where_the_organization_cannot_be_read_the_site_keeps_its_markup(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware, store: CountingStore) -> None:
        await app.personalizer.set_organization("acme", {"plan": "gold"})
        store.refuses = True
        assert await shown(app) == HERO
        assert app.personalizer.health.failures["the profile could not be read"] == 1
        store.refuses = False
        assert b"For gold" in await shown(app)

    play(tmp_path, scene)


def test_what_an_organization_cannot_be_is_refused(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware, store: CountingStore) -> None:
        for name, attributes in (("acme", {"plan": "silver"}), ("acme", {"company": "x"}), ("", {"plan": "gold"})):
            with pytest.raises(EventRefused):
                await app.personalizer.set_organization(name, attributes)

    play(tmp_path, scene)


def test_personas_and_explanations_know_organizations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_desk(tmp_path, rules=RULES, items=ITEMS)
    (tmp_path / "personalize.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    checked = CliRunner().invoke(main, ["check"])
    assert checked.exit_code == 0, checked.output
    said = CliRunner().invoke(main, ["explain", "--slot", "hero", "--visitor", "golden"])
    assert "shows things/golden" in said.output and "organization.plan" in said.output
    described = CliRunner().invoke(main, ["describe"])
    assert "whose company's purchase total is at least" in " ".join(described.output.split())
