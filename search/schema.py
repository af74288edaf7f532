"""The tables of an index: an SQLite file that other programs may read as well.

`documents`, `passages`, `vectors` and `settings` are ordinary tables and hold all
there is. `sketches` (sqlite-vec) and `words` (FTS5) are indexes over them, which
`babelet search inspect --repair` makes anew.

A vector is `dim` signed bytes, its largest component at 127 or -127. Its length has
no meaning: the cosine of two is that of the unit vectors they stand for. A sketch is
`dim` bits, filled up to whole bytes: where the vector, at unit length, is above the
setting `centre`.

The last eight bytes of each page are its checksum (https://sqlite.org/cksumvfs.html).
A program that writes without that extension leaves pages that count as damaged.
"""

APPLICATION_ID = 0x42424C54  # "BBLT", in the file's header at byte 68.
VERSION = 2

TABLES = """
CREATE TABLE settings (
  -- model_sha256, model_path, weights_sha256, dim, quantisation: what made vectors.
  -- words: JSON, how text became `words`.  centre: float32 (dim,), for sketches.
  -- sketched: passages there were when `centre` was computed, or found good.
  name TEXT PRIMARY KEY,
  value
) WITHOUT ROWID;

CREATE TABLE documents (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,    -- the input it came from
  key TEXT NOT NULL,       -- what names it there
  language TEXT NOT NULL,  -- a code such as "de", "" if not known
  text TEXT NOT NULL,
  metadata TEXT NOT NULL,  -- a JSON object: the input's other columns
  hash BLOB NOT NULL,      -- of language and text: equal hash, nothing to embed
  UNIQUE (source, key)
);
CREATE INDEX documents_by_language ON documents (language);

CREATE TABLE passages (
  -- What is searched: a document, or of a long one windows of whole sentences.
  id INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES documents (id),
  start INTEGER NOT NULL,  -- in the document's text, in Unicode code points
  stop INTEGER NOT NULL    -- one past its last
);
CREATE INDEX passages_by_document ON passages (document);

CREATE TABLE vectors (
  passage INTEGER PRIMARY KEY REFERENCES passages (id),
  vector BLOB NOT NULL     -- int8 (dim,)
);
"""

# Words are cut outside of SQLite and joined by spaces, so that any SQLite can read
# them: its "ascii" tokenizer takes every character beyond ASCII for a letter's.
INDEXES = """
CREATE VIRTUAL TABLE sketches USING vec0(
  passage INTEGER PRIMARY KEY,
  sketch bit[{bits}]
);
CREATE VIRTUAL TABLE words USING fts5(
  terms, content='', contentless_delete=1, tokenize='ascii'
);
CREATE VIRTUAL TABLE word_counts USING fts5vocab(words, row);
"""
