"""The passages that have a query's words, by FTS5's BM25."""

import math
from collections.abc import Mapping, Sequence

import apsw

from babelet.search.lexical import Word, WordRules
from babelet.search.passages import Filter, Passage, read_passages

# A word in more passages than this share tells little, and takes long to rank.
_COMMON = 0.05
# A passage counts if it has this share of what the query's words tell. Otherwise a
# query in another language would rank whatever shares an "in" with it as high as its
# answer by meaning.
_COVERED = 0.5


def having_words(
    connection: apsw.Connection,
    rules: WordRules,
    query: str,
    count: int,
    where: Filter,
) -> list[int]:
    """Returns passages, the best first.

    Args:
        connection: To an index.
        rules: Those of the index.
        query: What the user typed.
        count: Passages at most.
        where: What their documents have to be.
    """
    languages = where.languages or _languages(connection, rules)
    weights = _weights(connection, rules.query(query, languages))
    asked = _telling(connection, weights)
    if not asked:
        return []
    # With the plus, SQLite compares what FTS5 finds; without, it would ask FTS5 anew
    # for every passage that may be found.
    clause, values = where.clause("+rowid")
    expression = " OR ".join(word.expression() for word in asked)
    rows = connection.execute(
        f"SELECT rowid FROM words WHERE words MATCH ?{clause} ORDER BY rank LIMIT ?",
        (expression, *values, count),
    )
    found = read_passages(connection, [row[0] for row in rows])
    return [p.number for p in found if _covers(rules, p, weights)]


def _languages(connection: apsw.Connection, rules: WordRules) -> list[str]:
    if not (rules.stem or rules.stop_words):
        return []
    # A step from language to language: DISTINCT would read the whole index.
    rows = connection.execute(
        "WITH RECURSIVE step(language) AS ("
        " SELECT min(language) FROM documents UNION ALL"
        " SELECT (SELECT min(language) FROM documents AS d"
        "  WHERE d.language > step.language) FROM step WHERE language IS NOT NULL)"
        " SELECT language FROM step WHERE language IS NOT NULL"
    )
    return [row[0] for row in rows]


def _weights(
    connection: apsw.Connection, words: Sequence[Word]
) -> dict[Word, tuple[int, float]]:
    """Returns of each word how many passages have it, and how much it tells."""
    # Numbers are given in order and few are ever free: the last is about the count.
    total = connection.execute("SELECT coalesce(max(id), 0) FROM passages").get
    counts = {word: _count(connection, word) for word in words}
    return {
        word: (count, math.log(1 + total / (count + 0.5)))
        for word, count in counts.items()
    }


def _count(connection: apsw.Connection, word: Word) -> int:
    count = 0
    for form in word.forms:
        beyond = form + chr(0x10FFFF) if word.beginning else form
        count += connection.execute(
            "SELECT coalesce(sum(doc), 0) FROM word_counts WHERE term BETWEEN ? AND ?",
            (form, beyond),
        ).get
    return count


def _telling(
    connection: apsw.Connection, weights: Mapping[Word, tuple[int, float]]
) -> list[Word]:
    """Returns the words to ask for: those that occur, without the too common."""
    total = connection.execute("SELECT coalesce(max(id), 0) FROM passages").get
    occurring = {word: count for word, (count, _) in weights.items() if count}
    rare = [word for word, count in occurring.items() if count <= _COMMON * total]
    return rare or list(occurring)


def _covers(
    rules: WordRules, passage: Passage, weights: Mapping[Word, tuple[int, float]]
) -> bool:
    terms = set(rules.terms(passage.text, passage.language))
    has = sum(tells for word, (_, tells) in weights.items() if word.is_in(terms))
    return has >= _COVERED * sum(tells for _, tells in weights.values())
