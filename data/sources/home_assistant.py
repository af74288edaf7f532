"""The translations of Home Assistant's components (Apache-2.0).

They sit inside the `homeassistant` wheel as one JSON file per component and
language, `homeassistant/components/<component>/translations/<language>.json`.
"""

import re
from collections.abc import Generator
from pathlib import Path

from babelet.configs.schema import DataConfig
from babelet.data.download import fetch_wheel
from babelet.data.sources.json_trees import Trees
from babelet.data.sources.raw import RawPair

ORIGIN = ("translations of Home Assistant, from its pinned wheel", "Apache-2.0")
VERSION = "2026.2.3"
FILENAME = f"homeassistant-{VERSION}-py3-none-any.whl"
SHA256 = "8167820cac4b8defe895fd2c36ac23402a445d1fe6028e8cde24caabb935282c"
# The wheel asks for a Python newer than ours; as data it needs none.
PYTHON_VERSION = "3.13.2"

TREES = Trees(
    "Home Assistant",
    re.compile(
        r"homeassistant/components/(?P<part>[^/]+)/translations/(?P<language>[^/]+)\.json"
    ),
    # Languages the source names by their script as well.
    {"zh": "zh-Hans"},
)


def pairs(config: DataConfig, cache: Path) -> Generator[RawPair, None, None]:
    """Yields the rows of the pinned release, downloaded into `cache` if need be."""
    yield from TREES.read(fetch(cache), config)


def fetch(cache: Path) -> Path:
    """Returns the wheel in `cache`, downloaded if need be."""
    return fetch_wheel(
        f"homeassistant=={VERSION}", FILENAME, SHA256, cache, PYTHON_VERSION
    )
