import os
from configparser import ConfigParser
from pathlib import Path
from shutil import copytree, ignore_patterns

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py


class BuildWithCourse(build_py):
    """Ship notebooks and recorded results inside the package, so that `context-inpaint course` works from a wheel."""

    def run(self):
        super().run()
        if self.editable_mode: return
        for source in filter(os.path.isdir, ("nbs", "data/results")): copytree(source,
                                                                               Path(self.build_lib, "context_inpaint",
                                                                                    Path(source).name),
                                                                               dirs_exist_ok=True,
                                                                               ignore=ignore_patterns(".*", "api"))


config = ConfigParser(delimiters=["="], interpolation=None)
config.read("settings.ini", encoding="utf-8")
c = config["DEFAULT"]
setup(
    version=c["version"], description=c["description"], author=c["author"], keywords=c["keywords"].split(),
      url=c["git_url"],
    long_description=Path("README.md").read_text(encoding="utf-8"), long_description_content_type="text/markdown",
    python_requires=">=" + c["min_python"], install_requires=c["requirements"].split(),
    extras_require={key.removesuffix("_requirements"): value.split() for key,
                    value in c.items() if key.endswith("_requirements")},
    packages=find_packages(include=[c["lib_path"] + "*"]),
      package_data={c["lib_path"]: ["py.typed", "*.json", "*.js", "*.css", "weights/*"]},
    cmdclass={"build_py": BuildWithCourse},
      entry_points={"console_scripts": ["context-inpaint=context_inpaint.cli:main"]},
)
