"""Any bytes as documents: rows or one line, never a traceback."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from babelet.core.errors import BabeletError
from babelet.search.documents import read_documents

_CELLS = st.text(
    st.one_of(st.characters(), st.sampled_from('\t\r\n"\0\ufeff\u2028 ')), max_size=12
)
_NAMES = st.sampled_from(["text", "Text", "ID", "language", "room", "", "en", "\ufeff"])
_TABLES = st.lists(st.lists(_NAMES | _CELLS, min_size=1, max_size=4), max_size=6)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner),
    max_leaves=8,
)
# Python writes NaN and lone surrogates, as many programs do.
_LINES = st.lists(st.dictionaries(_NAMES, _JSON, max_size=4), max_size=4)
CONTENT = st.one_of(
    st.binary(max_size=200),
    _TABLES.map(lambda rows: "\n".join(map("\t".join, rows))).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    ),
    _LINES.map(lambda rows: "\n".join(map(json.dumps, rows)).encode()),
    _CELLS.map(lambda text: text.encode("utf-16", "surrogatepass")),
)


@settings(max_examples=60, deadline=None)
@given(
    content=CONTENT,
    end=st.sampled_from([".tsv", ".jsonl", ".txt", ".md", ".parquet"]),
    cut=st.integers(0, 3),
    in_folder=st.booleans(),
)
def test_any_bytes_are_documents_or_one_line(
    tmp_path_factory, content, end, cut, in_folder
):
    """A row nobody thought of ended a build with a traceback."""
    folder = tmp_path_factory.mktemp("input", numbered=True)
    path = folder / f"docs{end}"
    path.write_bytes(content[: len(content) - cut])
    try:
        found = list(read_documents(folder if in_folder else path, "home"))
    except BabeletError as error:
        assert "Remedy: " in str(error) and "\n" not in str(error)
        return
    assert 0 < len(found) <= content.count(b"\n") + 1
    for document in found:
        for value in (document.key, document.language, document.text):
            value.encode()
        assert isinstance(_strict(document.metadata), dict)


def _strict(metadata):
    """Reads JSON as others do, who know no NaN."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(metadata, parse_constant=refuse)
