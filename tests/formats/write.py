"""Writes a random table as delimited text, NDJSON, Parquet, Arrow IPC, Avro and Delta, each in a random dialect of its own."""
import bz2
import dataclasses
import datetime as dt
import decimal
import gzip
import json
import lzma
import math

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

import tables

NULL_WORDS = ("", "NA", "N/A", "NULL", "null", "\\N", "-", ".", "#N/A", "***")


def arrow_type(column):
    return {
        "bool": pa.bool_(), "small": pa.int32(), "long": pa.int64(), "wide": pa.int64(), "float": pa.float64(),
        "real": pa.float32(), "text": pa.string(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
        "instant": pa.timestamp("us", "UTC"),
    }.get(column.kind) or pa.decimal128(*column.digits)


def arrow(table):
    return pa.table({column.name: pa.array(column.values, arrow_type(column)) for column in table.columns})


def packed(random, path, content):
    """Puts the bytes into a file, perhaps packed, and gives its name."""
    ending, pack = random.choice((("", None), ("", None), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress),
                                  (".zst", lambda bytes: pa.Codec("zstd").compress(bytes, asbytes=True))))
    path = path.with_name(path.name + ending)
    path.write_bytes(pack(content) if pack else content)


# ------------------------------------------------------------------------------------------------ delimited text


def is_infinite(value):
    return isinstance(value, float) and math.isinf(value)


def csv_values(random, column, comma):
    """The texts of a column, and the values that the rules promise for them."""
    null = random.choice(NULL_WORDS) if column.kind != "text" else random.choice(("", "\\N"))
    if not any(value is not None and not is_infinite(value) for value in column.values):
        # In a column without a value, a word for NULL is a text.
        null = ""
    separator = random.choice((" ", "T"))
    texts, values = [], []
    for value in column.values:
        if value is None or is_infinite(value):
            # Infinity has no documented text.
            texts.append(null)
            values.append(None)
            continue
        if column.kind == "bool":
            text = str(value).lower()
        elif column.kind in ("float", "real"):
            text = repr(value).replace("nan", "NaN")
            text = text.replace(".", ",") if comma else text
        elif column.kind == "decimal":
            text = f"{value:f}"
            text = text.replace(".", ",") if comma else text
            value = float(value) if "." in f"{value:f}" else int(value)
        elif column.kind in ("timestamp", "instant"):
            text = value.isoformat(separator).replace("+00:00", random.choice(("Z", "+00", "+00:00")))
        else:
            text = str(value)
        texts.append(text)
        values.append(value)
    return texts, values


def csv_text(random, table, texts, dialect):
    """Quotes what must be quoted, and other values at random."""
    delimiter, end, all_quoted = dialect
    lines = []

    def field(text, is_null, is_text):
        must = any(char in text for char in (delimiter, '"', "\n", "\r")) or (is_text and text in ("", "\\N"))
        must = must or (is_text and (text != text.strip() or text.startswith("#")))
        if not is_null and (must or all_quoted):
            return '"' + text.replace('"', '""') + '"'
        return text

    lines.append(delimiter.join(field(column.name, False, True) for column in table.columns))
    for row in range(table.rows):
        fields = []
        for column, column_texts in zip(table.columns, texts):
            is_null = column.values[row] is None
            fields.append(field(column_texts[row], is_null, column.kind == "text"))
        lines.append(delimiter.join(fields))
    text = end.join(lines)
    return text + (end if random.random() < 0.8 else "")


def write_csv(random, table, folder):
    """Gives the values that must come back, in the types that the rules promise, and what is in columns told as text."""
    delimiter = random.choice((",", ";", "\t", "|"))
    comma = delimiter != "," and random.random() < 0.4
    pairs = [csv_values(random, column, comma) for column in table.columns]
    texts = [column_texts for column_texts, _ in pairs]
    all_quoted = random.random() < 0.3
    text = csv_text(random, table, texts, (delimiter, random.choice(("\n", "\n", "\r\n", "\r")), all_quoted))
    encodings = ["utf-8", "utf-8", "utf-8-sig", "utf-16"]
    try:
        if not text.encode("cp1252").isascii():
            encodings += ["cp1252"] * 3
    except UnicodeEncodeError:
        pass
    encoding = random.choice(encodings)
    name = random.choice(("t.csv", "t.csv", "t.tsv"))
    packed(random, folder / name, text.encode(encoding))
    # In a column that is told as text, nothing at all and \N are NULL only without quotes, and other words are texts.
    texts = [
        [None if text in ("", "\\N") and (value is None or not all_quoted) else text
         for value, text in zip(column.values, column_texts)]
        for column, column_texts in zip(table.columns, texts)
    ]
    places = {column.name: place for place, column in enumerate(table.columns)}
    return table.with_values(lambda column: pairs[places[column.name]][1]), texts


# ------------------------------------------------------------------------------------------------ NDJSON


def json_value(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, dt.date) else value


def write_json(random, table, folder):
    table = table.with_values(lambda column: [
        None if isinstance(value, float) and not math.isfinite(value) else value for value in column.values
    ])
    omits, ascii_only = random.random() < 0.5, random.random() < 0.5
    separators = random.choice(((",", ":"), (", ", ": ")))
    lines = []
    for row in range(table.rows):
        cells = [(column.name, json_value(column.values[row])) for column in table.columns]
        if random.random() < 0.3:
            random.shuffle(cells)
        # A key that no record has is no column.
        cells = {name: value for name, value in cells if value is not None or not omits or row == 0}
        lines.append(json.dumps(cells, ensure_ascii=ascii_only, separators=separators))
    end = random.choice(("\n", "\r\n"))
    if random.random() < 0.2:
        packed(random, folder / "t.json", f"[{f',{end}'.join(lines)}]{end}".encode())
    else:
        packed(random, folder / random.choice(("t.ndjson", "t.jsonl", "t.json")), (end.join(lines) + end).encode())
    return table.with_values(lambda column: [
        float(value) if isinstance(value, decimal.Decimal) else value for value in column.values
    ])


# ------------------------------------------------------------------------------------------------ Parquet and Delta


def write_parquet(random, data, path):
    options = {
        "compression": random.choice(("none", "snappy", "gzip", "zstd", "lz4", "brotli")),
        "row_group_size": random.choice((1, 7, 100, 100_000)),
        "data_page_version": random.choice(("1.0", "2.0")),
        "data_page_size": random.choice((64, 1024, 1 << 20)),
        "write_statistics": random.random() < 0.8,
        "write_page_index": random.random() < 0.5,
        "write_page_checksum": random.random() < 0.5,
        "store_schema": random.random() < 0.7,
        "version": random.choice(("1.0", "2.4", "2.6")),
    }
    if random.random() < 0.5:
        options["use_dictionary"] = False
        encodings = {}
        for field in data.schema:
            choices = ["PLAIN"]
            if pa.types.is_integer(field.type):
                choices += ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]
            elif pa.types.is_string(field.type):
                choices += ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]
            elif pa.types.is_floating(field.type):
                choices += ["BYTE_STREAM_SPLIT"]
            encodings[field.name] = random.choice(choices)
        options["column_encoding"] = encodings
    pq.write_table(data, path, **options)


# ------------------------------------------------------------------------------------------------ Arrow IPC and Avro


def write_ipc(random, data, path):
    """Files and streams, whose texts are of any of Arrow's types for them."""
    kinds = (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int16(), pa.string()))
    for at, field in enumerate(data.schema):
        if pa.types.is_string(field.type):
            kind = random.choice(kinds)
            column = data.column(at)
            column = column.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else column.cast(kind)
            data = data.set_column(at, field.name, column)
    is_file = random.random() < 0.6
    ending = random.choice((".arrow", ".feather", ".ipc") if is_file else (".arrows", ".arrow"))
    options = pa.ipc.IpcWriteOptions(compression=random.choice((None, "lz4", "zstd")), unify_dictionaries=is_file)
    new = pa.ipc.new_file if is_file else pa.ipc.new_stream
    with new(str(path) + ending, data.schema, options=options) as writer:
        writer.write_table(data, max_chunksize=random.choice((1, 7, 100, 100_000)))


AVRO_TYPES = {
    "bool": "boolean", "small": "int", "long": "long", "wide": "long", "float": "double", "real": "float", "text": "string",
    "date": {"type": "int", "logicalType": "date"},
    "timestamp": {"type": "long", "logicalType": "local-timestamp-micros"},
    "instant": {"type": "long", "logicalType": "timestamp-micros"},
}


def avro_value(value):
    """Moments as the integers that they are: the writer's own conversion knows the time zone of this machine."""
    if isinstance(value, dt.datetime):
        return (value.replace(tzinfo=None) - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)
    return value


def write_avro(random, table, path):
    """The table with names that Avro allows."""
    renamed = [dataclasses.replace(column, name=f"c{at}" if at else column.name) for at, column in enumerate(table.columns)]
    fields = []
    for column in renamed:
        precision, scale = column.digits
        kind = AVRO_TYPES.get(column.kind) or {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
        has_null = any(value is None for value in column.values)
        kinds = random.choice((["null", kind], [kind, "null"])) if has_null or random.random() < 0.5 else kind
        fields.append({"name": column.name, "type": kinds})
    schema = fastavro.parse_schema({"type": "record", "name": "t", "namespace": "lakegate.test", "fields": fields})
    rows = [{column.name: avro_value(column.values[row]) for column in renamed} for row in range(table.rows)]
    codec = random.choice(("null", "deflate", "bzip2", "xz"))
    with open(path, "wb") as file:
        fastavro.writer(file, schema, rows, codec=codec, sync_interval=random.choice((1, 100, 16_000)))
    return tables.Table(renamed, table.rows)


DELTA_TYPES = {"bool": "boolean", "small": "integer", "long": "long", "wide": "long", "float": "double", "real": "float",
               "text": "string", "date": "date", "timestamp": "timestamp_ntz", "instant": "timestamp"}


def write_delta(random, table, folder):
    """A log by hand around the files: one or several commits, and rows that were there before."""
    log = folder / "t" / "_delta_log"
    log.mkdir(parents=True)
    fields = [
        {"name": column.name, "nullable": True, "metadata": {},
         "type": DELTA_TYPES.get(column.kind) or f"decimal({column.digits[0]},{column.digits[1]})"}
        for column in table.columns
    ]
    has_wall = any(column.kind == "timestamp" for column in table.columns)
    features = ["timestampNtz"] if has_wall else []
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features}
    metadata = {"id": "0", "format": {"provider": "parquet", "options": {}}, "partitionColumns": [], "configuration": {},
                "schemaString": json.dumps({"type": "struct", "fields": fields}), "createdTime": 0}
    data = arrow(table)
    cuts = sorted({0, table.rows, *(random.randrange(table.rows) for _ in range(random.randrange(3)))})
    actions = [[{"protocol": protocol if has_wall else {"minReaderVersion": 1, "minWriterVersion": 2}}, {"metaData": metadata}]]
    for number, (start, end) in enumerate(zip(cuts, cuts[1:])):
        name = f"part {number}.parquet"
        write_parquet(random, data.slice(start, end - start), folder / "t" / name)
        add = {"path": name.replace(" ", "%20"), "size": (folder / "t" / name).stat().st_size, "partitionValues": {},
               "modificationTime": 0, "dataChange": True}
        if random.random() < 0.5:
            add["stats"] = json.dumps({"numRecords": end - start})
        if random.random() < 0.3:
            # The same rows in a file that is of the table no more.
            write_parquet(random, data.slice(start, end - start), folder / "t" / f"old {number}.parquet")
            old = {"path": f"old%20{number}.parquet", "size": (folder / "t" / f"old {number}.parquet").stat().st_size,
                   "partitionValues": {}, "modificationTime": 0, "dataChange": True}
            actions.append([{"add": old}])
            actions.append([{"remove": {"path": old["path"], "dataChange": True, "deletionTimestamp": 0}}, {"add": add}])
        else:
            (actions[-1] if random.random() < 0.5 else actions.append([]) or actions[-1]).append({"add": add})
    for version, commit in enumerate(actions):
        (log / f"{version:020}.json").write_text("".join(json.dumps(action) + "\n" for action in commit))
