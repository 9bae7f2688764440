#!/usr/bin/env python3
"""Writes what a real PostgreSQL answers into the .slt files of this folder, and into columns.txt.

    PGHOST=... PGPORT=... PGUSER=... PGDATABASE=... python3 tests/slt/record.py [FILE ...]

A block of a .slt file is a statement below an optional header; the header and the answer are written anew. A block that
begins with `# own` keeps its answer: there Lakegate differs from PostgreSQL on purpose, and the comment says why.
time.slt keeps all of its answers: PostgreSQL has none of its functions.
In columns.txt a statement stands on one line, and the names and types of its result on the next.
"""
import pathlib
import sys

import psycopg

INTEGERS, NUMBERS = {20, 21, 23, 26}, {700, 701, 1700}


def kind(oid):
    return "I" if oid in INTEGERS else "R" if oid in NUMBERS else "T"


def shown(value):
    if value is None:
        return "NULL"
    return value.decode().replace("\n", "\\n") or "(empty)"


def answer(connection, sql):
    """The header and the answer of one statement, as lines."""
    result = connection.pgconn.exec_(sql.encode())
    if result.error_message:
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE).decode()
        return [f"statement error ({state})"], []
    if result.nfields == 0:
        return ["statement ok"], []
    types = "".join(kind(result.ftype(i)) for i in range(result.nfields))
    rows = [
        " ".join(shown(result.get_value(row, column)) for column in range(result.nfields))
        for row in range(result.ntuples)
    ]
    return [f"query {types}"], ["----", *rows]


def record(connection, block):
    lines = block.splitlines()
    comments = [line for line in lines if line.startswith(("#", "skipif ", "onlyif "))]
    if any(line.startswith("# own") for line in comments):
        return block
    rest = lines[len(comments) :]
    if rest and rest[0].split(" ")[0] in ("query", "statement"):
        rest = rest[1:]
    if "----" in rest:
        rest = rest[: rest.index("----")]
    if not rest:
        return block
    header, result = answer(connection, "\n".join(rest))
    return "\n".join(comments + header + rest + result)


def columns(connection, text):
    out = []
    for line in text.splitlines():
        if line.startswith("    "):
            continue
        out.append(line)
        if line and not line.startswith("#"):
            connection.pgconn.prepare(b"", line.encode())
            result = connection.pgconn.describe_prepared(b"")
            if result.error_message:
                sys.exit(f"{line}: {result.error_message.decode()}")
            names = (f"{result.fname(i).decode()}:{result.ftype(i)}" for i in range(result.nfields))
            out.append("    " + ", ".join(names))
    return "\n".join(out) + "\n"


def main():
    folder = pathlib.Path(__file__).parent
    files = [pathlib.Path(name) for name in sys.argv[1:]] or [*sorted(folder.glob("*.slt")), folder / "columns.txt"]
    for path in files:
        if path.name == "time.slt":
            continue
        with psycopg.connect(autocommit=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            text = path.read_text()
            if path.name == "columns.txt":
                path.write_text(columns(connection, text))
                continue
            blocks = [block for block in text.split("\n\n") if block.strip()]
            path.write_text("\n\n".join(record(connection, block.strip("\n")) for block in blocks) + "\n")
        print(path.name, len(blocks))


if __name__ == "__main__":
    main()
