"""All operations of the API in one table: the app, its description, the docs and the tests of who may what read it."""

from typing import Any

from personalize.api import answers
from personalize.api.consent import READ as READ_CONSENT
from personalize.api.consent import SET as SET_CONSENT
from personalize.api.consent import read_consent, set_consent
from personalize.api.correcting import CORRECTION, UNDOING, mark_event, retract_event, undo_join
from personalize.api.deciding import DECIDE, EXPLAIN, decide_slots, explain_slot
from personalize.api.events import ATTRIBUTES, BROWSER_ATTRIBUTES, BROWSER_EVENT, EVENT
from personalize.api.openapi import description
from personalize.api.operation import Answer, Call, Operation, Role
from personalize.api.organizations import READ_ORGANIZATION, SET_ORGANIZATION, read_organization, set_organization
from personalize.api.payloads import ANYTHING, Field, list_of, obj
from personalize.api.privacy import PERSON, download_person, erase_person
from personalize.api.profiles import READ, SEARCH, find_visitors, read_profile
from personalize.api.recording import (
    MOST_EVENTS,
    record_browser_event,
    record_event,
    record_events,
    set_attributes,
    set_browser_attributes,
)
from personalize.api.serving import SERVE, serve_visitor
from personalize.api.streaming import record_stream
from personalize.runtime.access import AccessScope

#: Each event of a batch is read by itself, so that one that does not fit leaves the others as they are.
BATCH = obj(
    {
        "events": Field(
            list_of(ANYTHING, MOST_EVENTS, fewest=1), "The events, each as `record_event` takes one.", required=True
        )
    }
)


async def _describe(call: Call) -> Answer:
    personalizer = call.personalizer
    told: dict[str, Any] = description(OPERATIONS, personalizer.rule_set, personalizer.settings)
    return Answer(200, told)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "record_event",
        "POST",
        "/events",
        AccessScope.EVENTS_WRITE,
        "Record one event. An answer with success says that it survives whatever happens to this machine's power, and"
        " counts once, however often it is sent.",
        record_event,
        answers.RECORDED,
        EVENT,
    ),
    Operation(
        "record_events",
        "POST",
        "/events/batch",
        AccessScope.EVENTS_WRITE,
        "Record several events, each for itself; the answer tells what became of each, in order.",
        record_events,
        answers.RECORDED_EACH,
        BATCH,
    ),
    Operation(
        "record_stream",
        "POST",
        "/events/stream",
        AccessScope.EVENTS_WRITE,
        "Record any number of events, one a line. The answer comes at the end, and tells of the lines that were"
        " refused; where it breaks off, it says how many lines are done with.",
        record_stream,
        answers.STREAMED,
        EVENT,
        streams=True,
    ),
    Operation(
        "retract_event",
        "POST",
        "/events/retract",
        AccessScope.EVENTS_WRITE,
        "Take back an event that this token's sender recorded: everything is as if it had never been.",
        retract_event,
        answers.RECORDED,
        CORRECTION,
    ),
    Operation(
        "mark_event",
        "POST",
        "/events/mark",
        AccessScope.EVENTS_WRITE,
        "Say that an event tells nothing of what its visitor likes, as a gift does; it counts all the same.",
        mark_event,
        answers.RECORDED,
        CORRECTION,
    ),
    Operation(
        "undo_join",
        "POST",
        "/joins/undo",
        AccessScope.PROFILES_WRITE,
        "Undo that a login took over what a browser did, within 30 days, where it was somebody else's.",
        undo_join,
        answers.RECORDED,
        UNDOING,
    ),
    Operation(
        "set_attributes",
        "POST",
        "/attributes",
        AccessScope.PROFILES_WRITE,
        "Set attributes of a visitor.",
        set_attributes,
        answers.RECORDED,
        ATTRIBUTES,
    ),
    Operation(
        "read_profile",
        "POST",
        "/profiles/read",
        AccessScope.PROFILES_READ,
        "Tell all that is stored of a visitor. Segments go by what they agreed to.",
        read_profile,
        answers.PROFILE,
        READ,
    ),
    Operation(
        "find_visitors",
        "POST",
        "/profiles/search",
        AccessScope.SEARCH,
        "Find the visitors of whom exactly this is stored: a login, or an attribute that is declared `searchable`.",
        find_visitors,
        answers.FOUND,
        SEARCH,
    ),
    Operation(
        "set_organization",
        "POST",
        "/organizations/attributes",
        AccessScope.PROFILES_WRITE,
        "Set attributes of an organization itself, such as its plan.",
        set_organization,
        answers.RECORDED,
        SET_ORGANIZATION,
    ),
    Operation(
        "read_organization",
        "POST",
        "/organizations/read",
        AccessScope.PROFILES_READ,
        "Tell what is known of an organization, and what its members add up to.",
        read_organization,
        answers.ORGANIZATION,
        READ_ORGANIZATION,
    ),
    Operation(
        "decide",
        "POST",
        "/decisions",
        AccessScope.DECIDE,
        "Say what slots show to a visitor, by the same rules as on a page. Nothing is counted unless it is asked for.",
        decide_slots,
        answers.DECIDED,
        DECIDE,
    ),
    Operation(
        "explain",
        "POST",
        "/explanations",
        AccessScope.EXPLAIN,
        "Say why a slot shows what it shows: each rule, each question, the values that were seen.",
        explain_slot,
        answers.EXPLAINED,
        EXPLAIN,
    ),
    Operation(
        "read_consent",
        "POST",
        "/consent/read",
        AccessScope.CONSENT,
        "Tell what a visitor has agreed to; null where no decision is stored.",
        read_consent,
        answers.CONSENT,
        READ_CONSENT,
    ),
    Operation(
        "set_consent",
        "POST",
        "/consent",
        AccessScope.CONSENT,
        "Record what a visitor has agreed to.",
        set_consent,
        answers.RECORDED,
        SET_CONSENT,
    ),
    Operation(
        "download_person",
        "POST",
        "/persons/download",
        AccessScope.PRIVACY,
        "Hand out all that is stored of a person: every event that they, and the browsers they logged in with, have"
        " told.",
        download_person,
        answers.PERSON,
        PERSON,
    ),
    Operation(
        "erase_person",
        "POST",
        "/persons/erase",
        AccessScope.PRIVACY,
        "Erase all that is stored of a person, at once and for good; what comes late of them is refused.",
        erase_person,
        answers.ERASED,
        PERSON,
    ),
    Operation(
        "serve_visitor",
        "POST",
        "/visitors/serve",
        AccessScope.SERVE,
        "Tell whoever serves a visitor what they did, what they like, and what to say next and why. Each look is in the"
        " visitor's history, with who looked and why.",
        serve_visitor,
        answers.SERVED,
        SERVE,
    ),
    Operation(
        "record_browser_event",
        "POST",
        "/browser/events",
        Role.BROWSER,
        "Record an event of a type that is declared with `from_browser`, for the visitor of the browser's cookie.",
        record_browser_event,
        answers.RECORDED,
        BROWSER_EVENT,
    ),
    Operation(
        "set_browser_attributes",
        "POST",
        "/browser/attributes",
        Role.BROWSER,
        "Set attributes that are declared with `from_browser`, for the visitor of the browser's cookie.",
        set_browser_attributes,
        answers.RECORDED,
        BROWSER_ATTRIBUTES,
    ),
    Operation(
        "describe",
        "GET",
        "/openapi.json",
        Role.ANY_TOKEN,
        "This description.",
        _describe,
        answers.DESCRIPTION,
    ),
)
