"""asyncpg: everything in binary, named statements, cursors, pools, cancel."""
import asyncio

import asyncpg

from checks import ENDLESS, TYPES, VALUES, Checks, equal


async def fails_with(state, awaitable):
    try:
        await awaitable
    except asyncpg.PostgresError as error:
        equal(error.sqlstate, state)
        return
    raise AssertionError(f"no error instead of {state}")


async def values(connection):
    for sql_type, value in VALUES:
        equal(await connection.fetchval(f"SELECT $1::{sql_type}", value), value)
    for sql_type in TYPES:
        equal(await connection.fetchval(f"SELECT $1::{sql_type}", None), None)


async def inferred_parameters(connection):
    rows = await connection.fetch("SELECT x FROM generate_series(1, 5) t(x) WHERE x > $1 AND x = ANY($2)", 2, [1, 3, 5])
    equal([row["x"] for row in rows], [3, 5])
    equal(await connection.fetchval("SELECT $1 || 'b'", "a"), "ab")


async def prepared_statements(connection):
    statement = await connection.prepare("SELECT $1::int4 * 2 AS twice, $2::text AS name")
    equal([parameter.name for parameter in statement.get_parameters()], ["int4", "text"])
    equal([(column.name, column.type.name) for column in statement.get_attributes()], [("twice", "int4"), ("name", "text")])
    for number in range(20):
        equal(tuple(await statement.fetchrow(number, "n")), (number * 2, "n"))
    for number in range(20):
        equal(await connection.fetchval("SELECT $1::int8 + 1", number), number + 1)


async def cursor(connection):
    async with connection.transaction():
        count = total = 0
        async for row in connection.cursor("SELECT x FROM generate_series(1, 100000) t(x)", prefetch=7000):
            count, total = count + 1, total + row[0]
        equal((count, total), (100_000, 5_000_050_000))
        held = await connection.cursor("SELECT x FROM generate_series(1, 10) t(x)")
        await held.forward(3)
        equal([row[0] for row in await held.fetch(2)], [4, 5])


async def many_rows(connection):
    rows = await connection.fetch("SELECT x, x::text AS t, x::float8 AS f FROM generate_series(1, 100000) t(x)")
    equal((len(rows), rows[-1]["t"], rows[-1]["f"]), (100_000, "100000", 100_000.0))


async def errors(connection):
    for sql, state in [("SELECT 1/0", "22012"), ("SELECT nope", "42703"), ("SELEC 1", "42601"), ("SELECT * FROM nope", "42P01")]:
        await fails_with(state, connection.fetch(sql))
        await fails_with(state, connection.execute(sql))
        equal(await connection.fetchval("SELECT 1"), 1)


async def transactions(connection):
    transaction = connection.transaction(isolation="repeatable_read", readonly=True)
    await transaction.start()
    try:
        async with connection.transaction():
            await connection.fetchval("SELECT 1/0")
    except asyncpg.DivisionByZeroError:
        pass
    equal(await connection.fetchval("SELECT 2"), 2)
    await fails_with("22012", connection.fetchval("SELECT 1/0"))
    await fails_with("25P02", connection.fetchval("SELECT 1"))
    await transaction.rollback()
    equal(connection.is_in_transaction(), False)


async def cancel(connection):
    try:
        await asyncio.wait_for(connection.fetchval(ENDLESS), 0.5)
    except asyncio.TimeoutError:
        pass
    else:
        raise AssertionError("an endless statement ended")
    equal(await connection.fetchval("SELECT 1"), 1)


async def timeout(connection):
    await connection.execute("SET statement_timeout = 300")
    await fails_with("57014", connection.fetchval(ENDLESS))
    await connection.execute("RESET statement_timeout")
    equal(await connection.fetchval("SELECT 1"), 1)


async def pool(_connection):
    async with asyncpg.create_pool(min_size=2, max_size=4) as connections:
        results = await asyncio.gather(*(connections.fetchval("SELECT $1::int4", number) for number in range(50)))
        equal(results, list(range(50)))


async def settings(connection):
    equal(connection.get_settings().client_encoding.lower().replace("-", ""), "utf8")
    assert connection.get_server_version().major >= 15
    await connection.execute("SET TimeZone = 'Asia/Tokyo'")
    equal(connection.get_settings().TimeZone, "Asia/Tokyo")


async def run(check):
    connection = await asyncpg.connect()
    try:
        await asyncio.wait_for(check(connection), 60)
    finally:
        await connection.close(timeout=10)


def main():
    checks = Checks()
    for check in (values, inferred_parameters, prepared_statements, cursor, many_rows, errors, transactions, cancel,
                  timeout, pool, settings):
        checks.run(check.__name__, lambda check=check: asyncio.run(run(check)))
    checks.end()


if __name__ == "__main__":
    main()
