"""Files that are written to cost much: each is read or refused in the time of an ordinary one."""

import signal
import time
from collections.abc import Mapping

import pytest

from tests.rules.small_site import load

#: Of one processor, and generous: an ordinary file takes a hundredth of it. What grows with the square takes minutes.
MOST_SECONDS = 5.0
LARGE = 1_900_000


def segment(who: str) -> str:
    return f"segments:\n  a:\n    who: {who}\n"


def nested(word: str, depth: int) -> str:
    return f"{{{word}: " * depth + "{visitor.known: true}" + "}" * depth


def groups(of: str, parts: int, size: int) -> str:
    """All of many groups of several each: as a sum of products it would have size ** parts of them."""
    inner = "any" if of == "all" else "all"
    group = [
        f"{{{inner}: [" + ", ".join(f"{{purchase.count: {n * size + k}}}" for k in range(size)) + "]}"
        for n in range(parts)
    ]
    return f"{{{of}: [{', '.join(group)}]}}"


EVENT = "events: {purchase: {}}\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
)
COSTLY: Mapping[str, str] = {
    "brackets": "[" * LARGE,
    "braces": "{a: " * (LARGE // 4),
    "dashes": "- " * (LARGE // 2),
    "dashes over lines": "".join(f"{' ' * n}-\n" for n in range(1_900)),
    "keys over lines": "".join(f"{' ' * n}a:\n" for n in range(1_900)),
    "negations": segment(nested("not", 10_000)),
    "a bomb of aliases": BOMB,
    "a long line": segment("{page.path: " + "x" * LARGE + "}"),
    "a long number": segment("{visitor.visits: " + "9" * LARGE + "}"),
    "a long key": "x" * LARGE + ": 1\n",
    "a long list of values": segment("{page.path: [" + "/a," * (LARGE // 3) + "/b]}"),
    "a long list of segments": segment("{segment: [" + "a," * (LARGE // 2) + "a]}"),
    "many unknown facts": segment("{any: [" + "{x.y: 1}," * (LARGE // 9) + "{x.y: 1}]}"),
    "many unknown keys": "".join(f"k{n}: 1\n" for n in range(150_000)),
    "many names that are alike": "segments:\n"
    + "".join(f"  segment-{n}: {{who: {{segment: segmen-{n}}}}}\n" for n in range(10_000)),
    "a long circle": "segments:\n"
    + "".join(f"  s{n}: {{who: {{segment: s{(n + 1) % 10_000}}}}}\n" for n in range(10_000)),
    "segments in segments": "segments:\n  s0: {who: {visitor.known: true}}\n"
    + "".join(
        f"  s{n}: {{who: {{any: [{{segment: s{n - 1}}}, {{not: {{segment: s{n - 1}}}}}]}}}}\n" for n in range(1, 3_000)
    ),
    "all of many groups": EVENT + segment(groups("all", 40, 8)),
    "any of many groups": EVENT + segment(groups("any", 40, 8)),
    "not any of many groups": EVENT + segment(f"{{not: {groups('all', 40, 8)}}}"),
    "many rules": "slots:\n  a:\n    rules:\n"
    + "".join(f"      - {{id: r{n}, show: notes/hello}}\n" for n in range(10_000)),
    "many comments that allow": "# check: allow W201 – x\n" * 60_000,
    "a text of many lines": segment("{page.path: |\n" + "      x\n" * 200_000 + "    }"),
    "tabs": "\ta\n" * 300_000,
    "invisible characters": "\x0b" * LARGE,
    "quotes": "'" * LARGE,
    "questions": "? " * (LARGE // 2),
    "tags": "!a " * (LARGE // 3),
    "signs": segment("{purchase.count: " + ">" * LARGE + "}"),
    "blanks and a sign": segment("{purchase.count: " + " " * LARGE + "}"),
    "a range": EVENT + segment("{did: purchase, times: " + "1" * LARGE + "-}"),
    "hours": "slots: {a: {rules: [{id: r, when: {hours: " + "-" * LARGE + "}, show: notes/hello}]}}\n",
    "a duration": segment("{visitor.last_seen: {within: " + "1 day " * (LARGE // 6) + "}}"),
}


@pytest.mark.trust
@pytest.mark.parametrize("case", COSTLY)
def test_a_costly_file_is_read_or_refused_in_little_time(case: str) -> None:
    began = time.process_time()
    rule_set, problems = load(COSTLY[case])
    took = time.process_time() - began
    assert took < MOST_SECONDS, f"{took:.1f} s, {len(problems)} problems"
    assert (rule_set is None) == problems.has_errors


@pytest.mark.long
@pytest.mark.trust
@pytest.mark.planted
def test_a_guess_among_all_names_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing each unknown name with all others, as the hints once did: it is stopped when its time is over."""
    monkeypatch.setattr("personalize.guesses._FEW", 1_000_000)

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        with pytest.raises(TimeoutError):
            load(COSTLY["many names that are alike"])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
