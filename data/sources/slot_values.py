"""Words for the slots of command templates, in each language's real translations.

The English words below are texts of Home Assistant's user interface; their
translations there are the words of other languages.
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from babelet.configs.schema import DataConfig
from babelet.data.sources import home_assistant

_ROOMS = ("Kitchen", "Living Room", "Bedroom", "Garage", "Outdoor", "Indoor")
_DEVICES = (
    *("Light", "Fan", "Lock", "Door", "Garage door", "Gate", "Window", "Curtain"),
    *("Blind", "Shutter", "Awning", "Siren", "Camera", "Thermostat", "Speaker", "TV"),
    *("Humidifier", "Heating", "Valve", "Pump", "Switch", "Socket", "Outlet", "Plug"),
    *("Night light", "Backlight", "Hood", "Router", "Alarm", "Media player", "Heater"),
    *("Dishwasher", "Washing machine", "Freezer", "Microwave", "Water heater"),
)
_GOODS = (
    *("Water", "Coffee", "Chicken", "Eggs", "Green tea", "Black tea", "Salmon"),
    *("Batteries", "Salt", "Filter", "Espresso", "Cappuccino", "Hot water"),
)
_EVENTS = (
    *("Doorbell pressed", "Motion detected", "Returning home", "Low battery"),
    *("Door open", "Room occupied", "Charging", "Cleaning", "Finished", "Water leak"),
)
_ACTIONS = ("Turn off", "Turn on", "Start", "Stop", "Open door", "Return to dock")
_MEDIA = ("Music", "Radio", "Movie", "Game", "Podcast", "Album", "Weather", "Rain")

# By slot, the English words that fill it.
WORDS: dict[str, tuple[str, ...]] = {
    "area": _ROOMS,
    "floor": _ROOMS,
    "name": _DEVICES,
    "zone": ("Home", "Work", "School"),
    "message": _EVENTS,
    "search_query": _MEDIA,
    "timer_name": (*_GOODS, *_DEVICES),
    "timer_command": _ACTIONS,
    "shopping_list_item": _GOODS,
    "todo_list_item": (*_GOODS, *_ACTIONS),
}
# Languages of the templates that Home Assistant names otherwise.
ALIASES = {"de-CH": "de", "zh-CN": "zh-Hans", "zh-HK": "zh-Hant", "zh-TW": "zh-Hant"}


def slot_values(
    config: DataConfig, languages: Sequence[str], cache: Path
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Returns the words by language and slot.

    A slot for which a language has no translation keeps the English words, as
    devices there often do.

    Args:
        config: Its text limits are not used.
        languages: As the templates name them.
        cache: Folder that keeps downloads.
    """
    wheel = home_assistant.fetch(cache)
    wanted = {text.casefold() for texts in WORDS.values() for text in texts}
    available = home_assistant.TREES.languages_in(wheel)
    named = {language: ALIASES.get(language, language) for language in languages}
    sought = sorted({name for name in named.values() if name in available} - {"en"})
    settings = dataclasses.replace(config, pivot="en", languages=tuple(sought))
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in home_assistant.TREES.read(wheel, settings):
        english = row.pivot_text.casefold()
        if english in wanted and not row.problem:
            found.setdefault((row.language, english), Counter())[row.text] += 1
    return {
        language: {
            slot: tuple(_translated(texts, name, found)) or texts
            for slot, texts in WORDS.items()
        }
        for language, name in named.items()
    }


def _translated(
    texts: Sequence[str], language: str, found: dict[tuple[str, str], Counter[str]]
) -> list[str]:
    """Returns the most common translation of each text that has one."""
    counters = (found.get((language, text.casefold())) for text in texts)
    return [counter.most_common(1)[0][0] for counter in counters if counter]
