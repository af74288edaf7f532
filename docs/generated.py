"""What the documentation takes from the code: the settings, and the façade."""

import itertools
from typing import Any

import babelet
from babelet.configs import settings

WORDS = {
    "en": ("Setting", "Values", "Meaning", "default", "required", "empty", "Only for"),
    "zh_CN": ("设置", "取值", "含义", "默认", "必填", "空", "仅用于"),
}
# Where a page has one of these lines, the text is put.
SETTINGS = "% settings"
API = "% api"


def fill(app: Any, page: str, source: list[str]) -> None:
    """Replaces the marks of a page, as Sphinx's event `source-read` has it.

    Args:
        app: The Sphinx application.
        page: Its name.
        source: One text, which is changed in place.
    """
    if SETTINGS in source[0]:
        table = settings_tables(app.config.language)
        source[0] = source[0].replace(SETTINGS, table)
    if API in source[0]:
        source[0] = source[0].replace(API, api())


def settings_tables(language: str) -> str:
    """Returns a section with a table for each group of settings, in Markdown."""
    name, values, meaning, default, required, empty, only = WORDS[language]
    lines = []
    for group, each in itertools.groupby(settings.find(), lambda x: x.group):
        lines += [f"## {group or 'run'}", "", _cell(settings.group_meaning(group)), ""]
        lines += ["```{table}", ":widths: 30 28 42", ":width: 100%", ""]
        lines += [f"| {name} | {values} | {meaning} |", "|---|---|---|"]
        for setting in each:
            given = f"{default} `{setting.default}`"
            if setting.default in ("", "empty"):
                given = f"{default} *{empty}*" if setting.default else f"*{required}*"
            about = _cell(setting.meaning)
            if settings.only(setting.tasks):
                about += f" *{only}: {', '.join(setting.tasks)}.*"
            short = setting.name.rpartition(".")[2]
            lines.append(f"| `{short}` | {_cell(setting.values)}; {given} | {about} |")
        lines += ["```", ""]
    return "\n".join(lines)


def api() -> str:
    """Returns the documentation of every name of the façade, for autodoc."""
    names = [name for name in sorted(babelet.__all__) if not name.startswith("_")]
    return "\n\n".join(
        f"## {name}\n\n```{{eval-rst}}\n{_directive(name)}\n```" for name in names
    )


def _directive(name: str) -> str:
    """Returns how autodoc is told to document a name of the façade."""
    value = getattr(babelet, name)
    if not isinstance(value, type):
        return f".. autofunction:: babelet.{name}"
    lines = [f".. autoclass:: babelet.{name}", "   :members:"]
    # Not what every tuple or Keras model has.
    if issubclass(value, tuple):
        fields = ", ".join(getattr(value, "_fields", ()))
        lines += [f"   :exclude-members: {fields}", "   :class-doc-from: class"]
    elif all(each.__module__.startswith("babelet.") for each in value.__mro__[:-1]):
        lines.append("   :inherited-members:")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Returns text that is shown as it is in a table of Markdown."""
    text = " ".join(text.split())
    for special in "\\|<*[{$":
        text = text.replace(special, f"\\{special}")
    return text
