"""A site of files alone."""

from starlette.staticfiles import StaticFiles

from personalize import wrap
from tests.served.sites.markup import STATIC

app = wrap(StaticFiles(directory=STATIC, html=True))
