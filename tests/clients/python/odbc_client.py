"""psqlODBC over pyodbc: catalog functions, parameters, and cursors made by DECLARE and FETCH."""
import datetime as dt
import decimal
import functools
import glob

import pyodbc

from checks import DATABASE, HOST, PORT, USER, Checks, equal

DRIVER = sorted(glob.glob("/usr/lib/*/odbc/psqlodbcw.so"))[-1]


def connect(settings):
    text = f"Driver={DRIVER};Server={HOST};Port={PORT};Database={DATABASE};Uid={USER};BoolsAsChar=0;{settings}"
    return pyodbc.connect(text, autocommit="UseDeclareFetch" not in settings)


def values(connection):
    row = connection.execute("""SELECT 1, 2::int8, 0.5::float8, 1.50, 'x', true, date '2024-02-29', timestamp '2024-02-29 10:20:30',
        NULL::int4""").fetchone()
    equal(list(row), [1, 2, 0.5, decimal.Decimal("1.50"), "x", True, dt.date(2024, 2, 29),
                      dt.datetime(2024, 2, 29, 10, 20, 30), None])


def parameters(connection):
    query = "SELECT x FROM generate_series(1, 10) t(x) WHERE x > ? AND x < ? ORDER BY x"
    equal([row[0] for row in connection.execute(query, 3, 6)], [4, 5])
    equal(connection.execute("SELECT ?::text || 'b'", "a").fetchval(), "ab")
    equal(connection.execute("SELECT ?::date + 1", dt.date(2024, 2, 28)).fetchval(), dt.date(2024, 2, 29))


def many_rows(connection):
    rows = connection.execute("SELECT x, x::text FROM generate_series(1, 5000) t(x)").fetchall()
    equal((len(rows), rows[-1][1]), (5000, "5000"))


def catalog(connection):
    cursor = connection.cursor()
    tables = [(row.table_schem, row.table_name, row.table_type) for row in cursor.tables(schema="weather")]
    assert ("weather", "observations", "TABLE") in tables, tables
    columns = [(row.column_name, row.type_name) for row in cursor.columns(schema="climate", table="global_temp")]
    assert columns and all(all(column) for column in columns), columns
    equal(cursor.primaryKeys("global_temp", schema="climate").fetchall(), [])
    cursor.statistics("global_temp", schema="climate").fetchall()
    equal(cursor.foreignKeys(table="global_temp", schema="climate").fetchall(), [])
    assert len(cursor.getTypeInfo().fetchall()) > 10
    cursor.procedures().fetchall()
    equal(cursor.rowIdColumns("global_temp", schema="climate").fetchall()[:0], [])


def errors(connection):
    for sql, state in (("SELECT 1/0", "22012"), ("SELECT nope", "42703"), ("SELEC 1", "42601")):
        try:
            connection.execute(sql).fetchall()
        except pyodbc.Error as error:
            # The driver has a code of its own where ODBC names one.
            assert error.args[0] in (state, "42S22", "HY000"), error.args
        else:
            raise AssertionError(f"{sql} ended well")
        connection.rollback()
        equal(connection.execute("SELECT 2").fetchval(), 2)


def main():
    checks = Checks()
    for settings in ("", "UseDeclareFetch=1;Fetch=100;", "UseServerSidePrepare=0;"):
        connection = connect(settings)
        for check in (values, parameters, many_rows, catalog, errors):
            checks.run(f"{settings} {check.__name__}", functools.partial(check, connection))
        connection.close()
    checks.end()


if __name__ == "__main__":
    main()
