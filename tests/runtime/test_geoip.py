"""The place of a visitor, from a GeoIP database: on the page, and where the database is of no use."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maxminddb import MODE_MMAP, Reader, open_database
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.problems import Problems
from personalize.runtime.geoip import GeoIP, Place, PlacesOfNetworks, check_geoip, open_geoip
from personalize.runtime.sources import Scope
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.cli.terminal import Terminal
from tests.conftest import REPOSITORY
from tests.desk import RULES, desk_settings, published, write_desk, written
from tests.driver import Browser, running

BERGEN = {
    "country": {"iso_code": "NO", "names": {"en": "Norway"}},
    "subdivisions": [{"iso_code": "46", "names": {"en": "Vestland", "nb": "Vestland"}}],
    "city": {"names": {"en": "Bergen"}},
}
SWEDEN = {"country": {"iso_code": "SE"}}
NETWORKS: Mapping[str, Mapping[str, object]] = {
    "81.2.69.0/24": BERGEN,
    "89.160.20.0/24": SWEDEN,
    "2a02:f000::/32": BERGEN,
    "10.0.0.0/8": BERGEN,
    "9.9.9.0/24": {"traits": {"is_anonymous_proxy": True}},
}
IN_BERGEN, IN_SWEDEN, UNKNOWN = "81.2.69.160", "89.160.20.112", "8.8.8.8"
FILE = "places.mmdb"


def write_database(path: Path, networks: Mapping[str, Mapping[str, object]] = NETWORKS, ip_version: int = 6) -> None:
    """Write a database of these networks, in the form of MaxMind's."""
    writer = MMDBWriter(ip_version, ipv4_compatible=ip_version == 6, database_type="GeoLite2-City")
    for network, record in networks.items():
        if ip_version == 6 or ":" not in network:
            writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))


def opened(folder: Path) -> GeoIP:
    problems = Problems()
    geoip = open_geoip(desk_settings(folder, geoip=FILE), problems)
    assert geoip is not None, problems.list
    return geoip


@pytest.mark.parametrize(
    ("client", "place"),
    [
        ((IN_BERGEN, 50_000), Place("NO", "Vestland", "Bergen")),
        ([IN_BERGEN, 50_000], Place("NO", "Vestland", "Bergen")),
        ((f"::ffff:{IN_BERGEN}", 50_000), Place("NO", "Vestland", "Bergen")),
        (("2a02:f000::1", 50_000), Place("NO", "Vestland", "Bergen")),
        ((IN_SWEDEN, 50_000), Place("SE", None, None)),
        ((UNKNOWN, 50_000), None),
        (("2a03::1", 50_000), None),
        (("9.9.9.9", 50_000), None),
        (("10.1.2.3", 50_000), None),
        (("::ffff:10.1.2.3", 50_000), None),
        (("127.0.0.1", 50_000), None),
        (("fe80::1%eth0", 50_000), None),
        (("testclient", 50_000), None),
        (("/run/site.sock", None), None),
        (("", 0), None),
        ((None, 0), None),
        ((), None),
        (None, None),
    ],
)
def test_the_place_of_a_client(tmp_path: Path, client: object, place: Place | None) -> None:
    write_database(tmp_path / FILE)
    geoip = opened(tmp_path)
    assert geoip.place(client) == place
    geoip.close()


def test_a_database_of_the_old_addresses_alone_knows_no_new_one(tmp_path: Path) -> None:
    write_database(tmp_path / FILE, ip_version=4)
    geoip = opened(tmp_path)
    assert geoip.place(("2a02:f000::1", 1)) is None
    assert geoip.place((f"::ffff:{IN_BERGEN}", 1)) == geoip.place((IN_BERGEN, 1)) == Place("NO", "Vestland", "Bergen")
    geoip.close()


@pytest.mark.parametrize(
    "record",
    [
        {"country": "Norway"},
        {"country": {"iso_code": 47}},
        {"country": {"iso_code": ""}},
        {"city": {"names": {"en": "Bergen"}}},
        {"subdivisions": [{"names": {"en": "Vestland"}}]},
    ],
)
def test_a_record_of_another_shape_tells_nothing(tmp_path: Path, record: Mapping[str, object]) -> None:
    write_database(tmp_path / FILE, {"89.160.20.0/24": SWEDEN, "81.2.69.0/24": record})
    geoip = opened(tmp_path)
    assert geoip.place((IN_BERGEN, 1)) is None
    geoip.close()


#: Looks for places in one file after the other, each with its data spoilt somewhere, as a process of its own: the
#: reader in C would end it.
SPOILT = """
import random, sys
from pathlib import Path
from personalize.problems import Problems
from personalize.runtime.geoip import open_geoip
from personalize.settings import load_settings

folder, addresses = Path(sys.argv[1]), sys.argv[2:]
path = folder / "places.mmdb"
whole = path.read_bytes()
data, chance = whole.index(b"iso_code") - 20, random.Random(7)
told = raised = 0
for _ in range(400):
    at, size = chance.randrange(data, len(whole) - 250), chance.choice((1, 2, 8, 60))
    spoilt = bytes(chance.choice((0, 255, 224, 31, chance.randrange(256))) for _ in range(size))
    path.write_bytes(whole[:at] + spoilt + whole[at + size :])
    geoip = open_geoip(load_settings(None, {}, root=folder, geoip="places.mmdb"), Problems())
    for address in addresses if geoip is not None else ():
        try:
            told += geoip.place((address, 1)) is not None
        except Exception:
            raised += 1
    if geoip is not None:
        geoip.close()
print(told > 0, raised > 0)
"""


def test_a_file_that_is_spoilt_further_on_ends_no_process(tmp_path: Path) -> None:
    further = {f"91.{number}.0.0/16": {**SWEDEN, "city": {"names": {"en": f"City {number}"}}} for number in range(20)}
    write_database(tmp_path / FILE, {**NETWORKS, **further})
    addresses = [IN_BERGEN, IN_SWEDEN, UNKNOWN, "2a02:f000::1", *(f"91.{number}.1.1" for number in range(20))]
    command = [sys.executable, "-c", SPOILT, str(tmp_path), *addresses]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "True True\n"), done.stderr


class Counting:
    """A reader of a database that counts how often it is asked."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.asked = reader, 0

    def metadata(self) -> object:
        """That of the reader."""
        return self.reader.metadata()

    def get_with_prefix_len(self, address: IPv4Address | IPv6Address) -> tuple[object, int]:
        """What the reader says."""
        self.asked += 1
        return self.reader.get_with_prefix_len(address)


ADDRESSES = st.one_of(
    st.sampled_from([int(IPv4Address(IN_BERGEN)), int(IPv4Address(IN_SWEDEN))]).flatmap(
        lambda near: st.integers(near - 300, near + 300)
    ),
    st.integers(2**24, 2**32 - 1),
)


@given(st.lists(ADDRESSES, max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_remembered_of_networks_is_what_the_file_says_of_each_address(
    tmp_path: Path, addresses: list[int]
) -> None:
    if not (tmp_path / FILE).exists():
        write_database(tmp_path / FILE)
    remembering, fresh = opened(tmp_path), opened(tmp_path)
    for address in addresses:
        client = (str(IPv4Address(address)), 1)
        fresh._known = PlacesOfNetworks()
        assert remembering.place(client) == fresh.place(client)
    remembering.close()
    fresh.close()


def test_a_network_is_looked_up_once_and_one_of_few_addresses_each_time(tmp_path: Path) -> None:
    write_database(tmp_path / FILE, {**NETWORKS, "89.160.20.64/26": BERGEN})
    with open_database(tmp_path / FILE, MODE_MMAP) as reader:
        counting = Counting(reader)
        geoip = GeoIP(counting)  # type: ignore[arg-type]
        for host in range(1, 100):
            assert geoip.place((f"81.2.69.{host}", 1)) == Place("NO", "Vestland", "Bergen")
        assert counting.asked == 1
        for _ in range(3):
            assert geoip.place(("89.160.20.65", 1)) == Place("NO", "Vestland", "Bergen")
        assert counting.asked == 4


def test_what_is_remembered_has_a_bound() -> None:
    known = PlacesOfNetworks()
    for number in range(20_000):
        known.add(IPv4Address(number << 8), 24, None)
        assert known.find(IPv4Address((number << 8) + 5)) is None
    assert len(known._places) <= 4_096


def missing(folder: Path) -> str:
    return "No such file or directory"


def a_folder(folder: Path) -> str:
    (folder / FILE).mkdir()
    return "Is a directory"


def empty(folder: Path) -> str:
    (folder / FILE).write_bytes(b"")
    return "this is no MaxMind database, or a broken one"


def another_file(folder: Path) -> str:
    (folder / FILE).write_text("<!doctype html><title>Log in to download</title>" * 100, encoding="utf-8")
    return "this is no MaxMind database, or a broken one"


def cut_off(folder: Path) -> str:
    write_database(folder / FILE)
    whole = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(whole[: len(whole) // 2])
    return "this is no MaxMind database, or a broken one"


def scrambled(folder: Path) -> str:
    write_database(folder / FILE)
    whole = (folder / FILE).read_bytes()
    at = whole.index(b"iso_code") - 20
    (folder / FILE).write_bytes(whole[:at] + b"\xff" * 60 + whole[at + 60 :])
    return "this is no MaxMind database, or a broken one"


def of_networks(folder: Path) -> str:
    write_database(folder / FILE, {"81.2.69.0/24": {"autonomous_system_number": 64496}})
    return "it tells no countries"


USELESS = (missing, a_folder, empty, another_file, cut_off, scrambled, of_networks)


@pytest.mark.parametrize("made", USELESS)
def test_a_database_of_no_use_is_said_by_check_and_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Callable[[Path], str]
) -> None:
    write_desk(tmp_path)
    (tmp_path / "personalize.toml").write_text(f'geoip = "{FILE}"\napp = "shop:app"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    why, terminal = made(tmp_path), Terminal(tmp_path)
    checked = terminal.run("check")
    assert checked.exit_code == 1
    assert "error[E258]" in checked.stdout and why in " ".join(checked.stdout.split())
    said = terminal.said("serve", exit_code=1)
    assert "error[E258]" in said and why in " ".join(said.split())


def test_without_the_package_the_way_to_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_database(tmp_path / FILE)
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    problems = Problems()
    check_geoip(desk_settings(tmp_path, geoip=FILE), problems)
    (problem,) = problems.list
    assert (problem.code, problem.hint) == ("E258", 'pip install "personalize[geo]"')
    assert "the package maxminddb is not installed" in problem.message


def test_where_no_database_is_named_none_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    problems = Problems()
    assert open_geoip(desk_settings(tmp_path), problems) is None
    check_geoip(desk_settings(tmp_path), problems)
    assert not problems.list


# On the page ---------------------------------------------------------------------------------------------

NORTH = RULES.replace("visit.source: newsletter", "page.country: [NO, SE]")
FROM_THE_LETTER = "From the letter"


async def home(request: Request) -> Response:
    return HTMLResponse('<!doctype html><div data-slot="hero"><p>Default</p></div>')


def wrapped(folder: Path, facts: object = None, rules: str = NORTH) -> PersonalizeMiddleware:
    write_desk(folder, rules=rules)
    settings = desk_settings(folder, geoip=FILE)
    return wrap(Starlette(routes=[Route("/", home)]), settings, facts=facts)  # type: ignore[arg-type]


async def shown(app: PersonalizeMiddleware, address: str) -> bool:
    reply = await Browser(app, address=address).get("/")
    assert reply.status == 200
    return FROM_THE_LETTER in reply.text


def test_a_rule_asks_for_the_country_of_the_address(tmp_path: Path) -> None:
    async def run() -> None:
        write_database(tmp_path / FILE)
        app = wrapped(tmp_path)
        async with running(app):
            await published(app)
            addresses = (IN_BERGEN, "2a02:f000::7", IN_SWEDEN, UNKNOWN, "10.1.2.3", "127.0.0.1")
            assert [await shown(app, address) for address in addresses] == [True, True, True, False, False, False]
            assert not app.personalizer.health.failures
            geoip = app.personalizer.geoip
        assert app.personalizer.geoip is None and geoip is not None
        with pytest.raises(ValueError, match="closed"):
            geoip.place((IN_BERGEN, 1))
        async with running(app):
            assert await shown(app, IN_BERGEN)

    asyncio.run(run())


@pytest.mark.parametrize("asked", ["page.region: vestland", "page.city: Bergen"])
def test_a_rule_asks_for_region_and_city(tmp_path: Path, asked: str) -> None:
    async def run() -> None:
        write_database(tmp_path / FILE)
        app = wrapped(tmp_path, rules=RULES.replace("visit.source: newsletter", asked))
        async with running(app):
            await published(app)
            assert [await shown(app, address) for address in (IN_BERGEN, IN_SWEDEN)] == [True, False]

    asyncio.run(run())


class Told:
    """A fact source of the site that tells these facts."""

    def __init__(self, **told: str | None) -> None:
        self._told = told

    def facts(self, scope: Scope) -> Mapping[str, object]:
        """What was given."""
        return self._told


class Raises:
    """A fact source of the site that fails."""

    def facts(self, scope: Scope) -> Mapping[str, object]:
        """Fails."""
        raise RuntimeError("the fact source is gone")


CITY = RULES.replace("visit.source: newsletter", "page.city: Bergen")


@pytest.mark.parametrize(
    ("source", "rules", "address", "expected"),
    [
        (Told(country="DK"), NORTH, IN_BERGEN, False),
        (Told(country="NO"), NORTH, UNKNOWN, True),
        (Told(country=None), NORTH, IN_BERGEN, True),
        (Raises(), NORTH, IN_BERGEN, True),
        (Raises(), NORTH, UNKNOWN, False),
        (Told(country="no"), CITY, IN_BERGEN, True),
        (Told(country="DK"), CITY, IN_BERGEN, False),
        (Told(city="Oslo"), CITY, IN_BERGEN, False),
        (Told(city="Bergen"), CITY, UNKNOWN, True),
    ],
)
def test_what_the_site_tells_itself_counts_before_the_database(
    tmp_path: Path, source: object, rules: str, address: str, expected: bool
) -> None:
    async def run() -> None:
        write_database(tmp_path / FILE)
        app = wrapped(tmp_path, source, rules)
        async with running(app):
            await published(app)
            assert await shown(app, address) is expected

    asyncio.run(run())


@pytest.mark.parametrize("made", USELESS)
def test_a_site_whose_database_is_of_no_use_counts_it_and_serves_its_pages(
    tmp_path: Path, made: Callable[[Path], str]
) -> None:
    async def run() -> None:
        made(tmp_path)
        app = wrapped(tmp_path)
        async with running(app):
            await published(app)
            assert not await shown(app, IN_BERGEN)
            assert app.personalizer.health.failures == {"the site starts without its GeoIP database": 1}

    asyncio.run(run())


def test_a_look_up_that_fails_is_counted_and_the_page_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(geoip: GeoIP, client: object) -> Place:
        raise RuntimeError("the search tree is corrupt")

    async def run() -> None:
        write_database(tmp_path / FILE)
        app = wrapped(tmp_path)
        async with running(app):
            await published(app)
            monkeypatch.setattr(GeoIP, "place", broken)
            assert not await shown(app, IN_BERGEN)
            assert app.personalizer.health.failures == {"the GeoIP database could not be read": 1}

    asyncio.run(run())


def test_of_the_place_the_log_keeps_the_country_and_that_with_consent_alone(tmp_path: Path) -> None:
    async def run() -> None:
        write_database(tmp_path / FILE)
        app = wrapped(tmp_path)
        async with running(app):
            await published(app)
            browser = Browser(app, address=IN_BERGEN)
            await browser.get("/")
            assert not [event for event in await written(app) if event.type == "page_view"]
            await browser.post("/_personalize/consent", {"grant": "measure personalize"})
            await browser.get("/")
            (viewed,) = [event for event in await written(app) if event.type == "page_view"]
            assert viewed.properties["country"] == "NO"
            assert not {"region", "city"} & set(viewed.properties)
            assert IN_BERGEN not in str(viewed)

    asyncio.run(run())
