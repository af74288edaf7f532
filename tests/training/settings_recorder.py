"""Runs that note which of their settings they read."""

import os

from babelet.configs import parsing, registry

# In each process of a run, before anything of ours: notes the settings that are read.
# What `dataclasses` and configs/ read of all alike, for config.json and comparison,
# has no effect. A teacher that refuses a setting has no use for it.
RECORDER = """
import os, sys
from babelet.configs.checks import Section

seen, folder = set(), os.environ["SETTINGS_READ"]

def note(self, name):
    caller = sys._getframe(1)
    # Of a module that is run, the name is __main__.
    spec = caller.f_globals.get("__spec__")
    module = spec.name if spec else caller.f_globals.get("__name__", "")
    if not name.startswith("_") and (module + ".").startswith("babelet."):
        of_configs = module.startswith("babelet.configs.")
        section = object.__getattribute__(self, "section")
        key = f"{section}.{name}" if section else name
        if not of_configs and caller.f_code.co_name != "refuse_unused":
            if key not in seen:
                seen.add(key)
                with open(f"{folder}/{os.getpid()}", "a") as file:
                    file.write(key + "\\n")
    return object.__getattribute__(self, name)

Section.__getattribute__ = note
"""


def recording(folder):
    """Returns the environment of runs that note in `folder` what settings they read."""
    (folder / "read").mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(RECORDER)
    path = os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", "")))
    return {"PYTHONPATH": path, "SETTINGS_READ": str(folder / "read")}


def unread(task, *folders):
    """Returns the settings of a task that the runs recorded in `folders` never read."""
    files = [file for folder in folders for file in (folder / "read").iterdir()]
    read = {line for file in files for line in file.read_text().splitlines()}
    return {*parsing.keys(registry.config_class(task))} - {"task"} - read
