"""Content security policies that let one style of ours in, and nothing else."""

import base64
import hashlib

#: The directives that say where styles may come from, the one that counts first.
_DIRECTIVES = ("style-src-elem", "style-src", "default-src")
_INLINE = "'unsafe-inline'"
_NONE = "'none'"


def hash_of(style: str) -> str:
    """The source expression that allows this very text of a `<style>` element."""
    digest = hashlib.sha256(style.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def allowing_style(policy: str, style: str) -> str:
    """The value of a `Content-Security-Policy` header that also allows a `<style>` element of this text.

    Several policies, joined by commas, each get it. One that says nothing of styles, or allows any written in the
    page, stays as it is: a hash beside `'unsafe-inline'` would switch that off (CSP level 3, section 6.7.3.2).
    """
    return ",".join(_allowing(one, hash_of(style)) for one in policy.split(","))


def _allowing(policy: str, source: str) -> str:
    directives = [part.split() for part in policy.split(";")]
    named = {words[0].lower(): words for words in reversed(directives) if words}
    governing = next((named[name] for name in _DIRECTIVES if name in named), None)
    if governing is None or _allows_inline(governing[1:]):
        return policy
    sources = [word for word in governing[1:] if word.lower() != _NONE]
    if governing[0].lower() == "default-src":
        return f"{policy.rstrip().rstrip(';')}; style-src {' '.join([*sources, source])}"
    governing[1:] = [*sources, source]
    return "; ".join(" ".join(words) for words in directives if words)


def _allows_inline(sources: list[str]) -> bool:
    """Whether any style in the page is allowed: hashes and nonces switch the word for that off."""
    words = [word.lower() for word in sources]
    return _INLINE in words and not any(word.startswith(("'nonce-", "'sha")) for word in words)
