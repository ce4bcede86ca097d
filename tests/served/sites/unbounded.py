"""A planted bug: the API takes as many calls as come, and works at all of them at once."""

from personalize.api import app as the_api

the_api.MOST_AT_ONCE = the_api.MOST_AWAITED_OF_ONE = the_api.MOST_AT_WORK = 1_000_000

from tests.served.shop import app  # noqa: E402  the site is made with these bounds

__all__ = ["app"]
