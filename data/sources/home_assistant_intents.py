"""The voice commands of Home Assistant (Apache-2.0): an intent for each sentence.

They sit inside the `home-assistant-intents` wheel as one JSON file per language,
`home_assistant_intents/data/<language>.json`: sentence templates by intent, with
alternatives, options, lists and rules, in the syntax of the package `hassil`, which
parses them here. Each template is expanded into a few random sentences; a template
is never in two splits.
"""

import hashlib
import json
import random
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError
from tqdm import tqdm

from babelet.configs.classification import LabelsConfig
from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.download import fetch_wheel
from babelet.data.sources.raw import RawLabelled, require_language
from babelet.data.sources.slot_values import slot_values

ORIGIN = ("voice commands of Home Assistant, from their pinned wheel", "Apache-2.0")
VERSION = "2026.10.27"
FILENAME = f"home_assistant_intents-{VERSION}-py3-none-any.whl"
SHA256 = "256eb1e4fc6e6f4943d0ba4e089c9639d74d0e9d62ccddeb7148bc168de55e40"

MEMBER = "home_assistant_intents/data/{language}.json"
# Draws for each sentence that is wanted of a template: some repeat.
DRAWS = 4
# Rules may name each other in a circle.
MAX_DEPTH = 40

Words = dict[str, tuple[str, ...]]


class _Unusable(Exception):
    """A template names a list or rule that there is not."""


def rows(
    config: DataConfig, labels: LabelsConfig, cache: Path
) -> Generator[RawLabelled, None, None]:
    """Yields sentences of the pinned release in the pivot and the other languages.

    Args:
        config: `languages` and `pivot` are used.
        labels: `sentences_per_template` is used.
        cache: Folder that keeps downloads.

    Yields:
        One row per sentence; `line` is the ordinal of its template in the file.

    Raises:
        BabeletError: A language is not in the source, or a file is not JSON.
    """
    requirement = f"home-assistant-intents=={VERSION}"
    wheel = fetch_wheel(requirement, FILENAME, SHA256, cache)
    languages = (config.pivot, *config.languages)
    with zipfile.ZipFile(wheel) as archive:
        before, after = MEMBER.split("{language}")
        available = {
            name[len(before) : -len(after)]
            for name in archive.namelist()
            if name.startswith(before) and name.endswith(after)
        }
        for language in languages:
            require_language("Home Assistant's intents", language, available)
        words = slot_values(config, languages, cache)
        for language in tqdm(languages, desc="Expanding", unit="language"):
            name = MEMBER.format(language=language)
            content = _content(archive, name)
            count = labels.sentences_per_template
            yield from expand(content, name, language, words[language], count)


def expand(
    content: dict[str, Any], origin: str, language: str, words: Words, count: int
) -> Iterator[RawLabelled]:
    """Yields up to `count` different sentences of each template of a language.

    Args:
        content: "intents", "lists" and "expansion_rules" of a file.
        origin: Its name.
        language: Its language.
        words: By slot, what fills the lists that are free in the file.
        count: Sentences of a template.
    """
    grammar = _Grammar(content, words)
    line = 0
    for intent, blocks in content["intents"].items():
        for block in blocks["data"]:
            for template in block["sentences"]:
                line += 1
                row = RawLabelled(origin, line, language, intent, "", template)
                # A template's sentences do not depend on the others there are.
                seed = hashlib.sha256(f"{language}\t{intent}\t{template}".encode())
                rng = random.Random(int.from_bytes(seed.digest()[:8], "big"))
                try:
                    for text in grammar.sentences(template, rng, count):
                        yield row._replace(text=text)
                except (_Unusable, ParseError) as error:
                    yield row._replace(text=str(error), problem="template")


class _Grammar:
    """The lists and rules of a language, for drawing sentences."""

    def __init__(self, content: dict[str, Any], words: Words) -> None:
        self._rules = content.get("expansion_rules", {})
        self._lists = content.get("lists", {})
        self._words = words
        self._parsed: dict[str, Expression] = {}

    def sentences(self, template: str, rng: random.Random, count: int) -> list[str]:
        """Returns up to `count` different sentences, in the order drawn."""
        found: dict[str, None] = {}
        for _ in range(DRAWS * count):
            text = " ".join(self._draw(self._parse(template), rng, 0).split())
            found.setdefault(text)
            if len(found) == count:
                break
        return list(found)

    def _parse(self, template: str) -> Expression:
        if template not in self._parsed:
            self._parsed[template] = parse_sentence(template).expression
        return self._parsed[template]

    def _draw(self, part: Expression, rng: random.Random, depth: int) -> str:
        if depth > MAX_DEPTH:
            raise _Unusable("rules that name each other")
        depth += 1
        match part:
            case TextChunk():
                return part.original_text
            case Alternative():
                return self._draw(rng.choice(part.items), rng, depth)
            case Permutation():
                items = rng.sample(part.items, len(part.items))
                return " ".join(self._draw(item, rng, depth) for item in items)
            case Group():
                return "".join(self._draw(item, rng, depth) for item in part.items)
            case RuleReference():
                if part.rule_name not in self._rules:
                    raise _Unusable(f"no rule <{part.rule_name}>")
                rule = self._parse(self._rules[part.rule_name])
                return self._draw(rule, rng, depth)
            case ListReference():
                return self._value(part, rng, depth)
        raise _Unusable(f"an unknown part, {type(part).__name__}")

    def _value(self, part: ListReference, rng: random.Random, depth: int) -> str:
        if bounds := part.get_inline_range():
            return str(rng.randrange(bounds[0], bounds[1] + 1, bounds[2]))
        values = self._lists.get(part.list_name, {"wildcard": True})
        if "range" in values:
            bounds = values["range"]
            step = bounds.get("step", 1)
            return str(rng.randrange(bounds["from"], bounds["to"] + 1, step))
        if "values" in values:
            chosen = rng.choice(values["values"])
            text = chosen if isinstance(chosen, str) else chosen["in"]
            return self._draw(self._parse(text), rng, depth)
        if part.list_name not in self._words:
            raise _Unusable(f"no list {{{part.list_name}}}")
        return rng.choice(self._words[part.list_name])


def _content(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    try:
        content = json.loads(archive.read(name))
        content["intents"]
    except (ValueError, KeyError, TypeError) as error:
        raise BabeletError(
            f"Cannot read {name} in {archive.filename}",
            expected="a JSON object with intents",
            received=str(error),
            remedy="remove the wheel and run the same command again",
        ) from error
    return content
