"""ADBC's Flight SQL driver, alone and under pandas and Polars, and pyarrow.flight: results in columns.

Takes FLIGHT_PORT from the environment, beside what `checks` takes.
"""
import datetime as dt
import decimal
import os
import pathlib
import re
import threading
import time

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as flightsql
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.flight as flight

from adbc_checks import refused
from checks import DATABASE, ENDLESS, HOST, USER, Checks, equal

PORT = int(os.environ["FLIGHT_PORT"])
URI = f"grpc://{HOST}:{PORT}"
ROWS = 100_000
MANY = f"""SELECT x AS id, x::float8 / 2 AS half, 'row ' || x AS name, x > 10 AS large, date '2020-01-01' + x % 1000 AS day,
    timestamptz '2020-01-01 00:00:00+00' + make_interval(secs => x) AS at, CASE WHEN x > 5 THEN x END AS often
    FROM generate_series(1, {ROWS}) t(x)"""


def connect(**options):
    return flightsql.connect(URI, db_kwargs={"username": USER, "password": "none", **options})


def one(cursor, sql, parameters=None):
    cursor.execute(sql, parameters)
    return cursor.fetchone()


def values():
    expected = (1, -2.5, "naïve 😀\n", True, dt.date(2024, 2, 29), decimal.Decimal("12.50"), None, b"\x00\xff", [1, None],
                dt.datetime(2024, 2, 29, 13, 14, 15, 123456, tzinfo=dt.timezone.utc))
    with connect() as connection, connection.cursor() as cursor:
        equal(one(cursor, r"""SELECT 1, -2.5::float8, E'naïve 😀\n', true, date '2024-02-29', 12.50::numeric(10, 2), NULL::text,
            '\x00ff'::bytea, ARRAY[1, NULL], timestamptz '2024-02-29 13:14:15.123456+00'"""), expected)


def parameters():
    with connect() as connection, connection.cursor() as cursor:
        equal(one(cursor, "SELECT $1::int8 + 1, $2::text || '!', $3::date, $4::float8, $5::bool",
                  (41, "hi", dt.date(2024, 2, 29), 0.5, None)), (42, "hi!", dt.date(2024, 2, 29), 0.5, None))
        equal(one(cursor, "SELECT $1::date, $2::numeric", ("2024-02-29", "1.50")),
              (dt.date(2024, 2, 29), decimal.Decimal("1.50")))
        cursor.executemany("SELECT $1::int8", [(1,), (2,), (3,)])
        cursor.adbc_prepare("SELECT $1::int8 * $2::int8")
        for factor in range(5):
            equal(one(cursor, "SELECT $1::int8 * $2::int8", (factor, 7)), (factor * 7,))


def frames():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(MANY)
        table = cursor.fetch_arrow_table()
        equal((table.num_rows, table.schema.names[:3]), (ROWS, ["id", "half", "name"]))
        equal(pa.compute.sum(table["id"]).as_py(), ROWS * (ROWS + 1) // 2)
        cursor.execute(MANY)
        frame = pl.from_arrow(cursor.fetch_arrow_table())
        equal((frame.height, frame["often"].null_count()), (ROWS, 5))
        equal(len(pd.read_sql(MANY, connection)), ROWS)
    lazily = pl.read_database(MANY, connect())
    equal(lazily.sort("id").row(0)[:3], (1, 0.5, "row 1"))


def forms():
    def rows(**headers):
        options = {f"adbc.flight.sql.rpc.call_header.{name}": value for name, value in headers.items()}
        with connect(**options) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT station, rain, observation_at FROM weather.observations ORDER BY 1, 3, 2")
            return cursor.fetch_arrow_table()

    plain = rows()
    for compression in ("lz4", "zstd"):
        assert rows(**{"lakegate-compression": compression}).equals(plain)
    native = rows(**{"lakegate-types": "native"})
    equal([str(native.schema.types[0]), native.cast(plain.schema).equals(plain)], ["string_view", True])
    basic = rows(**{"lakegate-types": "basic"})
    equal([str(of) for of in basic.schema.types], ["string", "double", "timestamp[us, tz=UTC]"])
    refused(lambda: rows(**{"lakegate-types": "few"}), "invalid value for header", "22023")


def documented():
    page = pathlib.Path(__file__).parents[3] / "docs" / "flight-sql.md"
    [example] = [code for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL) if "lakegate-" in code]
    names = {"adbc_driver_flightsql": adbc_driver_flightsql}
    exec(example.replace("grpc://127.0.0.1:50051", URI), names)
    with connect() as connection, connection.cursor() as cursor:
        equal(names["table"].num_rows, one(cursor, "SELECT count(*) FROM weather.observations")[0])


def endpoints():
    header = "adbc.flight.sql.rpc.call_header.lakegate-"
    sql = "SELECT station, rain, observation_at FROM weather.observations"
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        key = [(name, "ascending") for name in ("station", "observation_at", "rain")]
        expected = cursor.fetch_arrow_table().sort_by(key)
    with connect(**{header + "endpoints": "4"}) as connection, connection.cursor() as cursor:
        partitions, _ = cursor.adbc_execute_partitions(sql)
        assert 1 < len(partitions) <= 4, f"{len(partitions)} partitions"
        parts = []
        for partition in partitions:
            cursor.adbc_read_partition(partition)
            parts.append(cursor.fetch_arrow_table())
        equal(pa.concat_tables(parts).sort_by(key).equals(expected), True)
        # The driver fetches all of them side by side.
        cursor.execute(sql)
        equal(cursor.fetch_arrow_table().sort_by(key).equals(expected), True)


def batches():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(MANY)
        rows = 0
        for batch in cursor.fetch_record_batch():
            rows += batch.num_rows
        equal(rows, ROWS)
        cursor.execute("SELECT 1 AS a WHERE false")
        equal((cursor.fetch_arrow_table().num_rows, cursor.description[0][0]), (0, "a"))


def browse():
    with connect() as connection:
        info = connection.adbc_get_info()
        equal(info["vendor_name"], "Lakegate")
        assert "TABLE" in connection.adbc_get_table_types()
        [catalog] = connection.adbc_get_objects(depth="columns", db_schema_filter="climate").read_all().to_pylist()
        [schema] = catalog["catalog_db_schemas"]
        tables = {table["table_name"]: table["table_columns"] for table in schema["db_schema_tables"]}
        equal([column["column_name"] for column in tables["global_temp"]], ["year", "temp"])
        columns = connection.adbc_get_table_schema("global_temp", db_schema_filter="climate")
        equal((columns.names, columns.types), (["year", "temp"], [pa.int64(), pa.float64()]))
        equal(connection.adbc_current_catalog, DATABASE)
        connection.adbc_current_db_schema = "climate"
        equal(connection.adbc_current_db_schema, "climate")
        with connection.cursor() as cursor:
            assert one(cursor, "SELECT count(*) FROM global_temp")[0] > 100
            equal(cursor.adbc_execute_schema("SELECT 1 AS x").names, ["x"])
            partitions, schema = cursor.adbc_execute_partitions("SELECT 7 AS x")
            equal((len(partitions), schema.names), (1, ["x"]))
            cursor.adbc_read_partition(partitions[0])
            equal(cursor.fetchall(), [(7,)])


def errors():
    with connect() as connection, connection.cursor() as cursor:
        refused(lambda: cursor.execute("SELECT * FROM nowhere"), "relation \"nowhere\" does not exist", "42P01")
        refused(lambda: one(cursor, "SELECT 1 / x FROM generate_series(-3, 3) t(x)"), "division by zero", "22012")
        refused(lambda: one(cursor, "SELECT $1::int2", (70_000,)), "out of range", "22003")
        equal(one(cursor, "SELECT 1"), (1,))
    refused(lambda: connect(**{"adbc.flight.sql.rpc.call_header.database": "nowhere"}), "does not exist", "3D000")


def cancel():
    with connect() as connection, connection.cursor() as cursor:
        ended = threading.Event()

        def canceller():
            while not ended.wait(0.2):
                cursor.adbc_cancel()

        thread = threading.Thread(target=canceller)
        thread.start()
        started = time.monotonic()
        try:
            refused(lambda: one(cursor, ENDLESS), "")
        finally:
            ended.set()
            thread.join()
        assert time.monotonic() - started < 20


def timeout():
    with connect(**{"adbc.flight.sql.rpc.timeout_seconds.fetch": "0.5"}) as connection, connection.cursor() as cursor:
        started = time.monotonic()
        refused(lambda: one(cursor, ENDLESS), "")
        assert time.monotonic() - started < 20
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '200ms'")
        refused(lambda: one(cursor, ENDLESS), "canceling statement due to statement timeout", "57014")


def at_once():
    counts = []

    def query():
        with connect() as connection, connection.cursor() as cursor:
            cursor.execute(MANY)
            counts.append(cursor.fetch_arrow_table().num_rows)

    threads = [threading.Thread(target=query) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(counts, [ROWS] * 8)


def arrow_flight():
    client = flight.connect(URI)
    options = flight.FlightCallOptions(headers=[client.authenticate_basic_token(USER, "none")])
    # CommandStatementQuery {query} in an Any, as protobuf writes it.
    query = b"SELECT 42 AS answer"
    command = b"\n" + bytes([len(query)]) + query
    url = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    packed = b"\n" + bytes([len(url)]) + url + b"\x12" + bytes([len(command)]) + command
    descriptor = flight.FlightDescriptor.for_command(packed)
    info = client.get_flight_info(descriptor, options)
    equal(info.schema.names, ["answer"])
    equal(client.get_schema(descriptor, options).schema.names, ["answer"])
    equal(client.do_get(info.endpoints[0].ticket, options).read_all().to_pylist(), [{"answer": 42}])
    assert {"CreatePreparedStatement", "CloseSession"} <= {action.type for action in client.list_actions(options)}
    client.close()


checks = Checks()
for check in (values, parameters, frames, forms, documented, endpoints, batches, browse, errors, cancel, timeout, at_once, arrow_flight):
    checks.run(check.__name__, check)
checks.end()
