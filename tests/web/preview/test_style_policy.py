"""A content security policy lets our style in where it would not, and is as strict as before with all else."""

import base64
import hashlib

import pytest

from personalize.web.preview.style_policy import allowing_style, hash_of

STYLE = "p { color: red }"
OURS = hash_of(STYLE)


def test_the_hash_is_that_of_the_very_text() -> None:
    assert f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'" == OURS


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ("default-src 'self'", f"default-src 'self'; style-src 'self' {OURS}"),
        ("default-src 'none';", f"default-src 'none'; style-src {OURS}"),
        ("script-src 'self'; style-src 'self'", f"script-src 'self'; style-src 'self' {OURS}"),
        ("style-src 'none'; img-src *", f"style-src {OURS}; img-src *"),
        ("STYLE-SRC 'self'", f"STYLE-SRC 'self' {OURS}"),
        ("default-src 'self'; style-src-elem 'self'", f"default-src 'self'; style-src-elem 'self' {OURS}"),
        ("style-src 'unsafe-inline' 'nonce-abc'", f"style-src 'unsafe-inline' 'nonce-abc' {OURS}"),
        ("style-src 'self'; style-src 'none'", f"style-src 'self' {OURS}; style-src 'none'"),
        ("style-src 'self',default-src 'self'", f"style-src 'self' {OURS},default-src 'self'; style-src 'self' {OURS}"),
        ("style-src", f"style-src {OURS}"),
    ],
)
def test_the_directive_that_governs_styles_gets_the_hash(policy: str, allowed: str) -> None:
    assert allowing_style(policy, STYLE) == allowed


@pytest.mark.parametrize(
    "policy", ["", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "default-src 'self' 'UNSAFE-INLINE'"]
)
def test_what_allows_it_already_stays_as_it_is(policy: str) -> None:
    assert allowing_style(policy, STYLE) == policy
