"""Who may call what: every operation by every caller, as the table of operations declares it."""

import json
from pathlib import Path
from typing import Any

from personalize.api.operation import Operation, Role
from personalize.api.operations import OPERATIONS
from personalize.events.event import JOIN
from personalize.runtime.access import AccessScope
from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import ROOT, Channel, Told, channel, consenting, from_page, on_site, purchase

#: A body that goes well, for each operation; one without a row here fails below.
BODIES: dict[str, Any] = {
    "record_event": purchase("one"),
    "record_events": {"events": [purchase("two")]},
    "record_stream": purchase("three"),
    "retract_event": {"id": "x1", "visitor": "u:anna", "event": "one"},
    "mark_event": {"id": "x2", "visitor": "u:anna", "event": "one"},
    "undo_join": {"id": "x3", "visitor": "u:anna", "browser": "v:mine"},
    "set_attributes": {"id": "a1", "visitor": "u:anna", "attributes": {"tier": "gold"}},
    "read_profile": {"visitor": "u:anna"},
    "find_visitors": {"user_id": "anna"},
    "set_organization": {"id": "o1", "organization": "Acme", "attributes": {"plan": "gold"}},
    "read_organization": {"organization": "Acme"},
    "decide": {"visitor": "u:anna", "slots": ["hero"]},
    "explain": {"visitor": "u:anna", "slot": "hero"},
    "read_consent": {"visitor": "u:anna"},
    "set_consent": {"id": "c1", "visitor": "u:anna", "granted": ["personalize"]},
    "record_browser_event": {"id": "b1", "type": "looked", "properties": {"item": "tent"}},
    "set_browser_attributes": {"id": "b2", "attributes": {"size": 41}},
    "download_person": {"visitor": "u:anna"},
    "erase_person": {"visitor": "u:somebody"},
    "serve_visitor": {"user_id": "anna", "by": "Ole", "why": "on the phone"},
    "describe": None,
}
CALLERS = ("nobody", "a forged token", "a page of the site", *map(str, AccessScope))


async def called(app: PersonalizeMiddleware, operation: Operation, caller: str, address: str) -> Told:
    body = BODIES[operation.name]
    if caller == "a page of the site":
        browser = await consenting(app, address=address)
        if operation.method == "GET":
            return Told(await browser.get(f"{ROOT}{operation.path}", headers=[("sec-fetch-site", "same-origin")]))
        return await from_page(browser, operation.path, body)
    if caller in ("nobody", "a forged token"):
        asking = Channel(app, None if caller == "nobody" else "pzt_" + "A" * 43, address)
    else:
        asking = await channel(app, caller, address=address)
    if operation.streams:
        return await asking.send(operation.path, json.dumps(body).encode(), media_type="application/x-ndjson")
    return await asking.call(operation.path, body, method=operation.method)


def allowed(operation: Operation, caller: str) -> bool:
    """Whether the table says that this caller may."""
    if operation.who is Role.BROWSER:
        return caller == "a page of the site"
    if caller not in map(str, AccessScope):
        return False
    return operation.who is Role.ANY_TOKEN or caller == operation.who


def test_who_may_call_an_operation_is_whom_the_table_names(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        personalizer = app.personalizer
        await personalizer.record("purchase", "u:anna", {"amount": 1})
        await personalizer.ingest.record([personalizer.event(JOIN, "u:anna", {"from": "v:mine"})])
        for operation in OPERATIONS:
            for number, caller in enumerate(CALLERS):
                told = await called(app, operation, caller, address=f"10.0.0.{number}")
                expected = (200, 201) if allowed(operation, caller) else (401, 403)
                assert told.status in expected, (operation.name, caller, told.values)

    on_site(tmp_path, body)


def test_every_scope_is_good_for_something() -> None:
    assert set(AccessScope) <= {operation.who for operation in OPERATIONS}


def test_no_operation_takes_the_id_of_anybody_in_its_address() -> None:
    assert not [operation.path for operation in OPERATIONS if "{" in operation.path or "?" in operation.path]


def test_each_has_a_name_and_an_address_of_its_own() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)
