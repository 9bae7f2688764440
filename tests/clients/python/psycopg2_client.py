"""psycopg2: values written into the text, named cursors, transactions, cancel."""
import decimal

import psycopg2
import psycopg2.extras

from checks import ENDLESS, TYPES, VALUES, Checks, equal, fails_with, soon

psycopg2.extras.register_uuid()


def connect(**options):
    connection = psycopg2.connect("", **options)
    connection.autocommit = True
    return connection


def state_of(error):
    return error.pgcode


def one(connection, sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


def values():
    connection = connect()
    for sql_type, value in VALUES:
        got = one(connection, f"SELECT CAST(%s AS {sql_type})", (value,))
        if isinstance(got, memoryview):
            got = bytes(got)
        if isinstance(value, decimal.Decimal):
            equal(str(got), str(value))
        else:
            equal(got, value)
    for sql_type in TYPES:
        equal(one(connection, f"SELECT CAST(%s AS {sql_type})", (None,)), None)


def named_cursor():
    connection = psycopg2.connect("")
    with connection, connection.cursor("rows") as cursor:
        cursor.itersize = 7000
        cursor.execute("SELECT x FROM generate_series(1, 100000) t(x)")
        equal(sum(row[0] for row in cursor), 5_000_050_000)
    connection.close()


def several_statements():
    connection = connect()
    equal(one(connection, "SET TimeZone TO 'UTC'; SELECT 1; SELECT 2"), 2)


def errors():
    connection = connect()
    for sql, state in [("SELECT 1/0", "22012"), ("SELECT nope", "42703"), ("SELEC 1", "42601"), ("SELECT * FROM nope", "42P01")]:
        fails_with(state, lambda sql=sql: one(connection, sql), state_of)
        equal(one(connection, "SELECT 1"), 1)


def transactions():
    connection = psycopg2.connect("")
    equal(one(connection, "SELECT 1"), 1)
    fails_with("22012", lambda: one(connection, "SELECT 1/0"), state_of)
    fails_with("25P02", lambda: one(connection, "SELECT 1"), state_of)
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT a")
        fails_with("22012", lambda: cursor.execute("SELECT 1/0"), state_of)
        cursor.execute("ROLLBACK TO SAVEPOINT a")
        cursor.execute("SELECT 3")
        equal(cursor.fetchone()[0], 3)
    connection.commit()
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    equal(one(connection, "SHOW transaction_read_only"), "on")
    connection.rollback()
    connection.close()


def cancel():
    connection = connect()
    timer = soon(connection.cancel)
    fails_with("57014", lambda: one(connection, ENDLESS), state_of)
    timer.join()
    equal(one(connection, "SELECT 1"), 1)


def timeout():
    connection = connect(options="-c statement_timeout=300")
    fails_with("57014", lambda: one(connection, ENDLESS), state_of)
    equal(one(connection, "SELECT 1"), 1)


def status():
    connection = connect()
    equal(connection.get_parameter_status("integer_datetimes"), "on")
    equal(connection.encoding, "UTF8")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 AS a WHERE false")
        equal([(column.name, column.type_code) for column in cursor.description], [("a", 23)])
        equal(cursor.fetchall(), [])
        equal(cursor.rowcount, 0)


def main():
    checks = Checks()
    for check in (values, named_cursor, several_statements, errors, transactions, cancel, timeout, status):
        checks.run(check.__name__, check)
    checks.end()


if __name__ == "__main__":
    main()
