"""psycopg 3: parameters in text and binary, prepared statements, server cursors, pipelines, cancel."""
import psycopg

from checks import ENDLESS, TYPES, VALUES, Checks, equal, fails_with, soon


def connect(**options):
    return psycopg.connect(autocommit=True, **options)


def state_of(error):
    return error.sqlstate


def values(binary):
    placeholder = "%b" if binary else "%t"
    with connect() as connection:
        for sql_type, value in VALUES:
            with connection.cursor(binary=binary) as cursor:
                got = cursor.execute(f"SELECT {placeholder}::{sql_type}", (value,)).fetchone()[0]
                equal(got, value)
        for sql_type in TYPES:
            equal(connection.execute(f"SELECT {placeholder}::{sql_type}", (None,), binary=binary).fetchone()[0], None)


def untyped_parameters():
    with connect() as connection:
        row = connection.execute("SELECT %s + 1, %s || 'b', %s = 1", (41, "a", 1)).fetchone()
        equal(row, (42, "ab", True))
        rows = connection.execute("SELECT x FROM generate_series(1, 5) t(x) WHERE x > %s AND x = ANY(%s)", (2, [1, 3, 5]))
        equal(rows.fetchall(), [(3,), (5,)])


def prepared_statements():
    with connect(prepare_threshold=3) as connection:
        for number in range(20):
            equal(connection.execute("SELECT %s::int4 * 2", (number,)).fetchone()[0], number * 2)
        for number in range(10):
            equal(connection.execute("SELECT %s::text", (str(number),), prepare=True).fetchone()[0], str(number))


def server_cursor():
    with connect() as connection, connection.transaction():
        with connection.cursor("rows") as cursor:
            cursor.itersize = 7000
            cursor.execute("SELECT x, x::text FROM generate_series(1, 100000) t(x)")
            count = total = 0
            for number, text in cursor:
                assert text == str(number)
                count, total = count + 1, total + number
            equal((count, total), (100_000, 5_000_050_000))


def stream():
    with connect() as connection, connection.cursor() as cursor:
        total = sum(row[0] for row in cursor.stream("SELECT x FROM generate_series(1, %s) t(x)", (100_000,)))
        equal(total, 5_000_050_000)


def pipeline():
    with connect() as connection, connection.pipeline():
        cursors = [connection.execute("SELECT %s::int4", (number,)) for number in range(100)]
        equal([cursor.fetchone()[0] for cursor in cursors], list(range(100)))


def errors():
    with connect() as connection:
        for sql, state in [("SELECT 1/0", "22012"), ("SELECT nope", "42703"), ("SELEC 1", "42601"),
                           ("SELECT * FROM nope", "42P01"), ("SELECT 'x'::int", "22P02"), ("SELECT nope(1)", "42883"),
                           ("SELECT 2147483647 + 1", "22003")]:
            fails_with(state, lambda sql=sql: connection.execute(sql), state_of)
            equal(connection.execute("SELECT 1").fetchone()[0], 1)
        try:
            connection.execute("SELECT 1 FROM nope")
        except psycopg.Error as error:
            equal(error.diag.message_primary, 'relation "nope" does not exist')
            equal(error.diag.statement_position, "15")
        fails_with("22P02", lambda: connection.execute("SELECT %s::int4", ("x",)), state_of)


def transactions():
    with psycopg.connect() as connection:
        connection.execute("SELECT 1")
        fails_with("22012", lambda: connection.execute("SELECT 1/0"), state_of)
        fails_with("25P02", lambda: connection.execute("SELECT 1"), state_of)
        connection.rollback()
        with connection.transaction():
            try:
                with connection.transaction():
                    connection.execute("SELECT 1/0")
            except psycopg.errors.DivisionByZero:
                pass
            equal(connection.execute("SELECT 2").fetchone()[0], 2)
        connection.commit()


def cancel():
    with connect() as connection:
        for method in (connection.cancel, connection.cancel_safe):
            timer = soon(method)
            fails_with("57014", lambda: connection.execute(ENDLESS), state_of)
            timer.join()
            equal(connection.execute("SELECT 1").fetchone()[0], 1)


def timeout():
    with connect(options="-c statement_timeout=300") as connection:
        fails_with("57014", lambda: connection.execute(ENDLESS), state_of)
        connection.execute("SET statement_timeout = 0")
        equal(connection.execute("SHOW statement_timeout").fetchone()[0], "0")


def information():
    with connect(application_name="a test") as connection:
        equal(connection.info.parameter_status("application_name"), "a test")
        equal(connection.info.encoding, "utf-8")
        assert connection.info.server_version >= 150000
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        equal(str(connection.info.timezone), "Asia/Tokyo")
        cursor = connection.execute("SELECT 1 AS a, 'b'::text AS b, 1.5 AS c")
        equal([column.name for column in cursor.description], ["a", "b", "c"])
        equal([column.type_code for column in cursor.description], [23, 25, 1700])


def main():
    checks = Checks()
    checks.run("values in text", lambda: values(False))
    checks.run("values in binary", lambda: values(True))
    for check in (untyped_parameters, prepared_statements, server_cursor, stream, pipeline, errors, transactions,
                  cancel, timeout, information):
        checks.run(check.__name__, check)
    checks.end()


if __name__ == "__main__":
    main()
