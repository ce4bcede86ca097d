"""Whether the content security policies of a page let a script of the site itself in, and by which nonce."""

from collections.abc import Iterable
from dataclasses import dataclass

#: The directives that say where scripts may come from, the one that counts first.
_DIRECTIVES = ("script-src-elem", "script-src", "default-src")
_NONCE = "'nonce-"
_OWN = frozenset({"'self'", "https:", "http:"})


@dataclass(frozen=True, slots=True)
class Admission:
    """A script is let in, by this nonce where its element has to carry one."""

    nonce: str | None = None


def admission_of(policies: Iterable[str]) -> Admission | None:
    """How the site's own script gets past these `Content-Security-Policy` values; None where none of its kind does.

    All policies count, also those joined by commas. A host or scheme in a list is taken for the site's own: more is
    not known of it here.
    """
    nonces: list[str] = []
    for policy in (one for value in policies for one in value.split(",")):
        sources = _governing(policy)
        if sources is None:
            continue
        nonce = next((word[len(_NONCE) : -1] for word in sources if word.lower().startswith(_NONCE)), None)
        if nonce is not None:
            nonces.append(nonce)
        elif not _lets_own_in(sources):
            return None
    if len(set(nonces)) > 1:
        return None
    return Admission(nonces[0] if nonces else None)


def lets_markup_in(policies: Iterable[str]) -> bool:
    """Whether scripts may write markup into the page: not where a policy asks for Trusted Types, which ours has none
    of."""
    return not any("require-trusted-types-for" in value.lower() for value in policies)


def _governing(policy: str) -> list[str] | None:
    """The sources of scripts that a policy allows; None where it says nothing of scripts."""
    directives = [part.split() for part in policy.split(";")]
    named = {words[0].lower(): words[1:] for words in reversed(directives) if words}
    return next((named[name] for name in _DIRECTIVES if name in named), None)


def _lets_own_in(sources: list[str]) -> bool:
    words = [word.lower() for word in sources]
    if "'strict-dynamic'" in words:
        return False
    return any(word in _OWN or not (word.startswith("'") or word.endswith(":")) for word in words)
