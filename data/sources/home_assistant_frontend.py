"""The translations of Home Assistant's pages (Apache-2.0): menus, dialogs, help.

They sit inside the `home-assistant-frontend` wheel, 111 MB, as one JSON file for each
page and language, `hass_frontend/static/translations/<page>/<language>-<hash>.json`;
those without a page are of all.
"""

import re
from collections.abc import Generator
from pathlib import Path

from babelet.configs.schema import DataConfig
from babelet.data.download import fetch_wheel
from babelet.data.sources.json_trees import Trees
from babelet.data.sources.raw import RawPair

ORIGIN = (
    "translations of Home Assistant's pages, from their pinned wheel",
    "Apache-2.0",
)
# Of the same release as the components'.
VERSION = "20260128.6"
FILENAME = f"home_assistant_frontend-{VERSION}-py3-none-any.whl"
SHA256 = "1fd307078b9584a7cfa3dce2e57443975223c9458a797af795253c3c4726ffbb"
PYTHON_VERSION = "3.13.2"

TREES = Trees(
    "Home Assistant's frontend",
    re.compile(
        r"hass_frontend/static/translations/(?:(?P<part>.+)/)?"
        r"(?P<language>[^/]+)-[0-9a-f]{32}\.json"
    ),
    {"zh": "zh-Hans"},
)


def pairs(config: DataConfig, cache: Path) -> Generator[RawPair, None, None]:
    """Yields the rows of the pinned release, downloaded into `cache` if need be."""
    yield from TREES.read(fetch(cache), config)


def fetch(cache: Path) -> Path:
    """Returns the wheel in `cache`, downloaded if need be."""
    return fetch_wheel(
        f"home-assistant-frontend=={VERSION}", FILENAME, SHA256, cache, PYTHON_VERSION
    )
