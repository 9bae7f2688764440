"""Random tables in all formats: what the server reads is what was written, and what pyarrow and DuckDB read.

    python tests/formats/compare.py write FOLDER      before the server starts
    python tests/formats/compare.py read FOLDER       asks the server of PGHOST and PGPORT

LAKEGATE_FORMATS_SEED and LAKEGATE_FORMATS_TABLES say which tables, and how many; the seed is printed.
"""
import dataclasses
import datetime as dt
import decimal
import json
import math
import os
import pathlib
import random
import re
import struct
import sys
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import tables
import write

FORMATS = ("csv", "json", "parquet", "ipc", "avro", "delta")


def settings(folder):
    """The seed and the number of tables, kept beside the files between the two calls."""
    kept = folder / "_settings.json"
    if not kept.exists():
        seed = int(os.environ.get("LAKEGATE_FORMATS_SEED") or random.randrange(10**9))
        count = int(os.environ.get("LAKEGATE_FORMATS_TABLES") or 25)
        kept.write_text(json.dumps([seed, count]))
    return json.loads(kept.read_text())


def made(folder, number, seed):
    """Writes a table in all formats. Gives what must come back, by format, and the texts of the delimited one."""
    chance = random.Random(seed * 1_000_003 + number)
    table = tables.table(chance)
    places = {name: folder / f"{name}{number}" for name in FORMATS}
    for place in places.values():
        (place / "t").mkdir(parents=True, exist_ok=True)
    csv_table, texts = write.write_csv(chance, table, places["csv"] / "t")
    json_table = write.write_json(chance, table, places["json"] / "t")
    data = write.arrow(table)
    for part, start in enumerate(range(0, table.rows, 200)):
        write.write_parquet(chance, data.slice(start, 200), places["parquet"] / "t" / f"{part}.parquet")
    write.write_delta(chance, table, places["delta"])
    for part, start in enumerate(range(0, table.rows, 200)):
        write.write_ipc(chance, data.slice(start, 200), places["ipc"] / "t" / str(part))
    avro_table = write.write_avro(chance, table, places["avro"] / "t" / "0.avro")
    return {"csv": csv_table, "json": json_table, "parquet": table, "ipc": table, "avro": avro_table, "delta": table}, texts


def same(got, expected):
    """Whether a value came back. A whole number may have come as one of any width."""
    if expected is None or got is None:
        return got is expected
    if isinstance(expected, float):
        got = float(got) if isinstance(got, (int, decimal.Decimal)) else got
        return isinstance(got, float) and (struct.pack("d", got) == struct.pack("d", expected) or got == expected
                                           or (math.isnan(got) and math.isnan(expected)))
    if isinstance(expected, bool) or isinstance(got, bool):
        return got is expected
    if isinstance(expected, (int, decimal.Decimal)):
        return isinstance(got, (int, decimal.Decimal)) and got == expected
    return type(got) is type(expected) and got == expected


def real(value):
    """A float of 32 bits, as its shortest text is read."""
    return None if value is None else struct.unpack("f", struct.pack("f", value))[0]


def is_told_as_text(column, texts):
    """Whether the rules leave a column as text: no number, or commas that could stand before thousands."""
    present = [text for text, value in zip(texts, column.values) if value is not None]
    ambiguous = all(re.fullmatch(r"-?\d{1,3}(,\d{3})+|-?\d+", text) for text in present)
    is_number = column.kind in ("float", "real", "decimal")
    return not present or (is_number and (ambiguous or all(text == "NaN" for text in present)))


def compare(cursor, name, table, texts):
    """The rows of a table, and of some conditions on it. Gives the differences."""
    cursor.execute(f'SELECT * FROM "{name}".t')
    names = [column.name for column in cursor.description]
    rows = cursor.fetchall()
    if sorted(names) != sorted(column.name for column in table.columns):
        return [f"{name}: columns {names}"]
    place = names.index("id")
    rows.sort(key=lambda row: row[place])
    if [row[place] for row in rows] != list(range(table.rows)):
        return [f"{name}: {len(rows)} rows instead of {table.rows}"]
    wrong, told = [], []
    for at, column in enumerate(table.columns):
        got = [row[names.index(column.name)] for row in rows]
        expected = column.values
        if column.kind == "real" and name[:3] in ("par", "ipc", "avr", "del"):
            got = [real(value) for value in got]
        if texts is not None and any(isinstance(value, str) for value in got) and column.kind != "text":
            if is_told_as_text(column, texts[at]):
                column = dataclasses.replace(column, kind="text", values=texts[at])
                expected = column.values
        told.append(column)
        for row, (one, other) in enumerate(zip(got, expected)):
            if not same(one, other):
                wrong.append(f"{name}: {column.name} ({column.kind}) in row {row}: {one!r} instead of {other!r}")
                break
    return wrong or conditions(cursor, name, tables.Table(told, table.rows))


def conditions(cursor, name, table):
    """Counts under conditions on some columns, which statistics and pages may decide."""
    wrong = []
    for column in random.Random(name).sample(table.columns, min(3, len(table.columns))):
        present = [value for value in column.values if value is not None]
        nulls = table.rows - len(present)
        asked = [("IS NULL", (), nulls)]
        if present and column.kind in ("small", "long", "wide", "date", "timestamp", "instant"):
            pivot = present[len(present) // 2]
            asked += [("= %s", (pivot,), sum(value == pivot for value in present)),
                      ("< %s", (pivot,), sum(value < pivot for value in present)),
                      (">= %s", (pivot,), sum(value >= pivot for value in present))]
        if present and column.kind == "text":
            asked.append(("= %s", (present[0],), sum(value == present[0] for value in present)))
        if present and column.kind == "float" and name[:3] in ("par", "ipc", "avr", "del"):
            # In PostgreSQL a NaN is greater than every number.
            asked.append((">= 1.5", (), sum(math.isnan(value) or value >= 1.5 for value in present)))
        for condition, values, expected in asked:
            cursor.execute(f'SELECT count(*) FROM "{name}".t WHERE "{column.name}" {condition}', values)
            got = cursor.fetchone()[0]
            if got != expected:
                wrong.append(f"{name}: {column.name} {condition} {values}: {got} instead of {expected}")
    return wrong


def witnesses(folder, number, table):
    """What pyarrow and DuckDB read from the files of Parquet is what was to be written."""
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq
    paths = sorted((folder / f"parquet{number}" / "t").iterdir(), key=lambda path: int(path.stem))
    read = pa.concat_tables([pq.read_table(path) for path in paths], promote_options="permissive")
    wrong = []
    for column in table.columns:
        got = read.column(column.name).to_pylist()
        if any(not same(one, other) for one, other in zip(got, column.values)):
            wrong.append(f"pyarrow reads other values of {column.name} of parquet{number}")
        query = f'SELECT count("{column.name}") FROM read_parquet({[str(path) for path in paths]!r}, union_by_name=true)'
        try:
            counted = duckdb.sql(query).fetchone()[0]
        except duckdb.Error as error:
            # It does not know some encodings of whole numbers.
            assert "only supported for" in str(error), error
            continue
        if counted != sum(value is not None for value in column.values):
            wrong.append(f"DuckDB counts {counted} values of {column.name} of parquet{number}")
    return wrong


def read(folder, seed, count):
    import tempfile

    import psycopg
    connection = psycopg.connect(host=os.environ["PGHOST"], port=os.environ["PGPORT"], user=os.environ.get("PGUSER", "lakegate"),
                                 dbname=os.environ.get("PGDATABASE", "lakegate"), autocommit=True)
    connection.execute("SET TimeZone = 'UTC'")
    passed = failed = 0
    for number in range(count):
        with tempfile.TemporaryDirectory() as scratch:
            expected, texts = made(pathlib.Path(scratch), number, seed)
        for name in FORMATS:
            cursor = connection.cursor()
            try:
                wrong = compare(cursor, f"{name}{number}", expected[name], texts if name == "csv" else None)
                wrong += witnesses(folder, number, expected[name]) if name == "parquet" else []
            except Exception:  # One table may fail in any way; the others are compared.
                wrong = [f"{name}{number}: {traceback.format_exc(limit=-1)}"]
            passed, failed = passed + (not wrong), failed + bool(wrong)
            for line in wrong[:3]:
                print(f"FAILED: {line}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def main():
    action, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    seed, count = settings(folder)
    print(f"LAKEGATE_FORMATS_SEED={seed} LAKEGATE_FORMATS_TABLES={count}", flush=True)
    if action == "write":
        for number in range(count):
            made(folder, number, seed)
    else:
        read(folder, seed, count)


if __name__ == "__main__":
    main()
