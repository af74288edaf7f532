"""What the tests of an index share: documents, and how to look at results."""

from babelet.search.connection import connect

DOCUMENTS = [
    ("en-1", "en", "Turn on the lamp in the kitchen", "kitchen"),
    ("en-2", "en", "The front door is open", "hall"),
    ("en-3", "en", "The battery is low", "cellar"),
    ("de-1", "de", "Schalte die Lampe in der Küche ein", "kitchen"),
    ("de-2", "de", "Die Haustür ist offen", "hall"),
    ("de-3", "de", "Der Akku ist fast leer", "cellar"),
    ("zh-1", "zh", "打开厨房的灯", "kitchen"),
    ("zh-2", "zh", "传感器的电池电量低", "cellar"),
    ("ja-1", "ja", "台所のランプの設定を変更する", "kitchen"),
    ("ja-2", "ja", "玄関のドアが開いています", "hall"),
    ("th-1", "th", "เปิดไฟในห้องครัว", "kitchen"),
    ("th-2", "th", "ประตูหน้าบ้านเปิดอยู่", "hall"),
]


def write_tsv(path, rows=DOCUMENTS):
    lines = ["id\tlanguage\ttext\troom", *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def the_error(done):
    """Returns the one line that a user's error is."""
    assert done.returncode == 2, done.stderr
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("error: ")]
    assert "Traceback" not in done.stderr and "Remedy: " in line
    return line


def content(path):
    """Returns what an index holds, without the numbers that depend on history."""
    connection = connect(path)
    rows = connection.execute(
        "SELECT d.source, d.key, d.language, d.text, d.metadata, p.start, p.stop, "
        "v.vector FROM documents AS d LEFT JOIN passages AS p ON p.document = d.id "
        "LEFT JOIN vectors AS v ON v.passage = p.id ORDER BY 1, 2, 6"
    ).fetchall()
    connection.close()
    return rows
