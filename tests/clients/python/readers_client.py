"""pandas, Polars, connectorx and ADBC: tables into data frames, most of them by COPY in binary."""
import contextlib
import datetime as dt

import adbc_driver_postgresql.dbapi as adbc
import connectorx
import pandas as pd
import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from checks import DATABASE, HOST, PORT, USER, Checks, equal

URI = f"postgresql://{USER}@{HOST}:{PORT}/{DATABASE}"
ROWS = 20_000
MANY = f"""SELECT x AS id, x::float8 / 2 AS half, 'row ' || x AS name, x > 10 AS large, date '2020-01-01' + x AS day,
    timestamptz '2020-01-01 00:00:00+00' + make_interval(secs => x) AS at,
    timestamp '2020-01-01 00:00:00' + make_interval(secs => x) AS wall, CASE WHEN x > 5 THEN x END AS often
    FROM generate_series(1, {ROWS}) t(x)"""
FIRST_AT = dt.datetime(2020, 1, 1, 0, 0, 1, tzinfo=dt.timezone.utc)


def engine(driver="psycopg"):
    return sa.create_engine(sa.URL.create(f"postgresql+{driver}", USER, None, HOST, PORT, DATABASE))


@contextlib.contextmanager
def cursor():
    with adbc.connect(URI) as connection, connection.cursor() as open_cursor:
        yield open_cursor


def check_polars(frame):
    equal(frame.height, ROWS)
    first = frame.sort("id").row(0, named=True)
    equal((first["half"], first["name"], first["large"], first["often"]), (0.5, "row 1", False, None))
    equal((first["day"], first["at"]), (dt.date(2020, 1, 2), FIRST_AT))
    equal(frame["often"].null_count(), 5)


def pandas_query():
    for driver in ("psycopg", "psycopg2"):
        frame = pd.read_sql(sa.text(MANY), engine(driver))
        equal(len(frame), ROWS)
        equal(str(frame.dtypes["half"]), "float64")
        equal(int(frame["id"].sum()), ROWS * (ROWS + 1) // 2)
        equal(frame["at"][0].to_pydatetime(), FIRST_AT)


def pandas_table():
    frame = pd.read_sql_table("global_temp", engine("psycopg2"), schema="climate")
    assert len(frame) > 0 and len(frame.columns) > 1, frame


def pandas_over_adbc():
    with adbc.connect(URI) as connection:
        frame = pd.read_sql(MANY, connection)
    equal(len(frame), ROWS)


def polars_over_connectorx():
    check_polars(pl.read_database_uri(MANY, URI, engine="connectorx"))


def polars_over_adbc():
    check_polars(pl.read_database_uri(MANY, URI, engine="adbc"))


def polars_over_sqlalchemy():
    check_polars(pl.read_database(MANY, engine()))


def connectorx_protocols():
    for protocol in ("binary", "csv", "cursor", "simple"):
        table = connectorx.read_sql(URI, MANY, return_type="arrow", protocol=protocol)
        equal(table.num_rows, ROWS)


def connectorx_partitions():
    query = f"SELECT x AS id, x * 2 AS twice FROM generate_series(1, {ROWS}) t(x)"
    frame = pl.read_database_uri(query, URI, engine="connectorx", partition_on="id", partition_num=4)
    equal((frame.height, int(frame["twice"].sum())), (ROWS, ROWS * (ROWS + 1)))


def adbc_types():
    with cursor() as open_cursor:
        open_cursor.execute("""SELECT 1::int2 AS a, 2::int4 AS b, 3::int8 AS c, 0.5::float4 AS d, 0.25::float8 AS e, true AS f,
            'x'::text AS g, '\\x00ff'::bytea AS h, date '2024-02-29' AS i, time '10:20:30.5' AS j, interval '1 day 2 seconds' AS k,
            ARRAY[1, NULL, 3] AS l, timestamp '2024-02-29 10:00' AS m, 1.50::numeric AS n, NULL::text AS o""")
        table = open_cursor.fetch_arrow_table()
    row = {name: values[0] for name, values in table.to_pydict().items()}
    equal([row[name] for name in "abcdefgh"], [1, 2, 3, 0.5, 0.25, True, "x", b"\x00\xff"])
    equal((row["i"], row["j"], row["l"]), (dt.date(2024, 2, 29), dt.time(10, 20, 30, 500_000), [1, None, 3]))
    equal((row["m"], row["n"], row["o"]), (dt.datetime(2024, 2, 29, 10), "1.50", None))
    equal(table.schema.field("c").type, pa.int64())


def adbc_parameters():
    with cursor() as open_cursor:
        open_cursor.execute("SELECT $1::int8 + 1 AS x, $2::text AS y", (5, "a"))
        equal(open_cursor.fetchall(), [(6, "a")])
        open_cursor.execute("SELECT name FROM (VALUES ('a'), ('b')) t(name) WHERE name = $1", ("b",))
        equal(open_cursor.fetchall(), [("b",)])


def adbc_empty():
    with cursor() as open_cursor:
        open_cursor.execute("SELECT 1 AS x WHERE false")
        equal(open_cursor.fetch_arrow_table().num_rows, 0)


def adbc_errors():
    for sql, state in (("SELECT 1/0", "22012"), ("SELECT nope", "42703")):
        with cursor() as open_cursor:
            try:
                open_cursor.execute(sql)
                open_cursor.fetchall()
            except adbc.Error as error:
                equal(error.sqlstate, state)
            else:
                raise AssertionError(f"{sql} ended well")


def adbc_objects():
    with adbc.connect(URI) as connection:
        catalogs = connection.adbc_get_objects(depth="all").read_all().to_pylist()
        schema = connection.adbc_get_table_schema("global_temp", db_schema_filter="climate")
    schemas = {schema["db_schema_name"]: schema["db_schema_tables"] for schema in catalogs[0]["catalog_db_schemas"]}
    assert "global_temp" in [table["table_name"] for table in schemas["climate"]], schemas.keys()
    assert len(schema.names) > 1, schema


def main():
    checks = Checks()
    for check in (pandas_query, pandas_table, pandas_over_adbc, polars_over_connectorx, polars_over_adbc,
                  polars_over_sqlalchemy, connectorx_protocols, connectorx_partitions, adbc_types, adbc_parameters,
                  adbc_empty, adbc_errors, adbc_objects):
        checks.run(check.__name__, check)
    checks.end()


if __name__ == "__main__":
    main()
