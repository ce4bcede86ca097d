"""Whether what a page goes through is compiled here: this module is, together with all of that or not at all."""

from typing import Final

#: True where the package was built with PERSONALIZE_COMPILED=1; `setup.py` says what that compiles.
IS_COMPILED: Final = not __file__.endswith(".py")
