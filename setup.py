"""Puts docs/messages.md into what is installed, for `personalize check --code`: one page, and no copy that drifts."""

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithMessages(build_py):
    """Copies the page beside the code; an editable install reads it where it is."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file("docs/messages.md", f"{self.build_lib}/personalize/messages.md")


setup(cmdclass={"build_py": BuildWithMessages})
