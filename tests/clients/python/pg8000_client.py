"""pg8000: Flush and Sync after every step of the extended protocol."""
import decimal

import pg8000.dbapi
import pg8000.native

from checks import DATABASE, ENDLESS, HOST, PORT, TYPES, USER, VALUES, Checks, equal, fails_with


def connect():
    return pg8000.native.Connection(USER, host=HOST, port=PORT, database=DATABASE)


def state_of(error):
    return error.args[0]["C"]


def values():
    connection = connect()
    for sql_type, value in VALUES:
        got = connection.run(f"SELECT CAST(:v AS {sql_type})", v=value)[0][0]
        if isinstance(value, decimal.Decimal):
            equal(str(got), str(value))
        else:
            equal(got, value)
    for sql_type in TYPES:
        equal(connection.run(f"SELECT CAST(:v AS {sql_type})", v=None)[0][0], None)


def prepared_statements():
    connection = connect()
    statement = connection.prepare("SELECT CAST(:v AS int4) * 2 AS twice")
    for number in range(10):
        equal(statement.run(v=number), [[number * 2]])
    equal([column["name"] for column in statement.columns], ["twice"])
    statement.close()


def many_rows():
    connection = pg8000.dbapi.connect(USER, host=HOST, port=PORT, database=DATABASE)
    cursor = connection.cursor()
    cursor.execute("SELECT x FROM generate_series(1, 100000) t(x)")
    equal(sum(row[0] for row in cursor), 5_000_050_000)
    cursor.execute("SELECT %s::int4 + 1", (1,))
    equal(cursor.fetchone()[0], 2)
    connection.rollback()


def errors():
    connection = connect()
    for sql, state in [("SELECT 1/0", "22012"), ("SELECT nope", "42703"), ("SELEC 1", "42601"), ("SELECT * FROM nope", "42P01")]:
        fails_with(state, lambda sql=sql: connection.run(sql), state_of)
        equal(connection.run("SELECT 1"), [[1]])


def transactions():
    connection = connect()
    connection.run("START TRANSACTION")
    fails_with("22012", lambda: connection.run("SELECT 1/0"), state_of)
    fails_with("25P02", lambda: connection.run("SELECT 1"), state_of)
    connection.run("ROLLBACK")
    connection.run("BEGIN")
    connection.run("SAVEPOINT a")
    fails_with("22012", lambda: connection.run("SELECT 1/0"), state_of)
    connection.run("ROLLBACK TO a")
    equal(connection.run("SELECT 1"), [[1]])
    connection.run("COMMIT")


def timeout():
    connection = connect()
    connection.run("SET statement_timeout = 300")
    fails_with("57014", lambda: connection.run(ENDLESS), state_of)
    connection.run("RESET statement_timeout")
    equal(connection.run("SELECT 1"), [[1]])


def main():
    checks = Checks()
    for check in (values, prepared_statements, many_rows, errors, transactions, timeout):
        checks.run(check.__name__, check)
    checks.end()


if __name__ == "__main__":
    main()
