"""DuckDB attaching the server with its postgres extension: what it asks the catalogs, and COPY (FORMAT binary)."""
import datetime as dt
import decimal
import functools
import pathlib

import duckdb
import duckdb_extension_postgres_scanner

from checks import DATABASE, HOST, PORT, USER, Checks, equal

EXTENSIONS = pathlib.Path(duckdb_extension_postgres_scanner.__file__).parent / "extensions"


def connect():
    session = duckdb.connect()
    session.execute(f"LOAD '{next(EXTENSIONS.glob('*/postgres_scanner.duckdb_extension'))}'")
    session.execute(f"ATTACH 'host={HOST} port={PORT} user={USER} dbname={DATABASE}' AS lake (TYPE postgres, READ_ONLY)")
    return session


def names(session):
    tables = session.execute("SELECT schema, name FROM (SHOW ALL TABLES) WHERE database = 'lake'").fetchall()
    assert {("weather", "observations"), ("weather", "latest_observations"), ("public", "climate_analysis")} <= set(tables)


def counts(session):
    equal(session.execute("SELECT count(*), count(DISTINCT year) > 1 FROM lake.weather.observations").fetchall(),
          [(20000, True)])


def a_copy_of_a_table(session):
    session.execute("CREATE TABLE local AS SELECT * FROM lake.weather.observations")
    theirs = session.execute("SELECT count(temperature), max(observation_at), min(rain) FROM local").fetchall()
    asked = "SELECT count(temperature), max(observation_at), min(rain) FROM weather.observations"
    equal(theirs, session.execute(f"SELECT * FROM postgres_query('lake', '{asked}')").fetchall())


def filters_are_pushed_down(session):
    asked = "SELECT count(*) FROM {} WHERE year = 2023 AND station = '07020001' AND observation_at >= '2023-06-01 00:00:00+00'"
    equal(session.execute(asked.format("lake.weather.observations")).fetchall(),
          session.execute(asked.format("(SELECT * FROM lake.weather.observations)")).fetchall())
    session.execute("SET pg_experimental_filter_pushdown = false")
    everything = session.execute(asked.format("lake.weather.observations")).fetchall()
    session.execute("SET pg_experimental_filter_pushdown = true")
    equal(session.execute(asked.format("lake.weather.observations")).fetchall(), everything)


def values(session):
    asked = ("SELECT 1::int2 AS a, 2::int8 AS b, 1.50::numeric(5,2) AS c, ''x''::text AS d, ''2024-02-29''::date AS e, "
             "true AS f, ARRAY[1, 2] AS g, NULL::int4 AS h, ''12:30''::time AS i, 0.5::float4 AS j")
    equal(session.execute(f"SELECT * FROM postgres_query('lake', '{asked}')").fetchall(),
          [(1, 2, decimal.Decimal("1.50"), "x", dt.date(2024, 2, 29), True, [1, 2], None, dt.time(12, 30), 0.5)])


def a_join_with_its_own_tables(session):
    session.execute("CREATE TABLE wanted AS SELECT '07020001' AS station")
    found = session.execute("SELECT count(*) FROM lake.weather.observations JOIN wanted USING (station)").fetchone()
    assert found[0] > 0, found


def main():
    checks = Checks()
    session = connect()
    for check in (names, counts, a_copy_of_a_table, filters_are_pushed_down, values, a_join_with_its_own_tables):
        checks.run(check.__name__, functools.partial(check, session))
    checks.end()


if __name__ == "__main__":
    main()
