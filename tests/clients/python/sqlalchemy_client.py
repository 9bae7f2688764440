"""SQLAlchemy core over psycopg 3 and psycopg2: typed expressions, streaming, savepoints, errors."""
import datetime as dt
import decimal
import functools
import uuid

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from checks import DATABASE, ENDLESS, HOST, PORT, USER, UTC, Checks, equal

TYPED = [
    (sa.SmallInteger, 7), (sa.Integer, -1), (sa.BigInteger, 9223372036854775807), (sa.Float, 0.1),
    (sa.Numeric(20, 4), decimal.Decimal("12345.6789")), (sa.Text, "it's"), (sa.Boolean, True),
    (sa.Date, dt.date(2024, 2, 29)), (sa.DateTime, dt.datetime(2024, 2, 29, 13, 14, 15, 123456)),
    (sa.DateTime(timezone=True), dt.datetime(2024, 2, 29, 13, 14, 15, tzinfo=UTC)),
    (sa.Interval, dt.timedelta(days=1, seconds=2)), (sa.LargeBinary, b"\x00\xff"),
    (sa.Uuid, uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")), (postgresql.ARRAY(sa.Integer), [1, 2]),
]


def values(engine):
    with engine.connect() as connection:
        for sql_type, value in TYPED:
            statement = sa.select(sa.cast(sa.bindparam("v", value, sql_type), sql_type))
            got = connection.execute(statement).scalar_one()
            equal(bytes(got) if isinstance(got, memoryview) else got, value)
            none = sa.select(sa.cast(sa.bindparam("v", None, sql_type), sql_type))
            equal(connection.execute(none).scalar_one(), None)


def expressions(engine):
    numbers = sa.func.generate_series(1, 10).table_valued("x", name="t").render_derived()
    statement = sa.select(numbers.c.x, sa.func.sum(numbers.c.x).over(order_by=numbers.c.x).label("total"))
    statement = statement.where(numbers.c.x.in_([2, 3, 5])).order_by(numbers.c.x.desc()).limit(2)
    with engine.connect() as connection:
        equal([tuple(row) for row in connection.execute(statement)], [(5, 10), (3, 5)])
        for number in range(10):
            equal(connection.execute(sa.text("SELECT CAST(:n AS int) + 1"), {"n": number}).scalar_one(), number + 1)


def streaming(engine):
    with engine.connect().execution_options(stream_results=True, yield_per=7000) as connection:
        rows = connection.execute(sa.text("SELECT x FROM generate_series(1, 100000) t(x)"))
        equal(sum(row.x for row in rows), 5_000_050_000)


def transactions(engine):
    with engine.connect() as connection:
        with connection.begin():
            try:
                with connection.begin_nested():
                    connection.execute(sa.text("SELECT 1/0"))
            except sa.exc.DBAPIError as error:
                equal(getattr(error.orig, "sqlstate", None) or error.orig.pgcode, "22012")
            equal(connection.execute(sa.text("SELECT 1")).scalar_one(), 1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        equal(connection.execute(sa.text("SELECT 1")).scalar_one(), 1)


def errors(engine):
    for sql, state in [("SELECT nope", "42703"), ("SELECT * FROM nope", "42P01"), ("SELEC 1", "42601")]:
        with engine.connect() as connection:
            try:
                connection.execute(sa.text(sql))
            except sa.exc.ProgrammingError as error:
                equal(getattr(error.orig, "sqlstate", None) or error.orig.pgcode, state)
            else:
                raise AssertionError(f"no error for {sql}")


def timeout(engine):
    with engine.connect() as connection:
        connection.execute(sa.text("SET statement_timeout = 300"))
        try:
            connection.execute(sa.text(ENDLESS))
        except sa.exc.DBAPIError as error:
            equal(getattr(error.orig, "sqlstate", None) or error.orig.pgcode, "57014")
        else:
            raise AssertionError("an endless statement ended")
        connection.rollback()
        equal(connection.execute(sa.text("SELECT 1")).scalar_one(), 1)


def inspection(engine):
    inspector = sa.inspect(engine)
    assert {"climate", "transactions", "weather"} <= set(inspector.get_schema_names())
    assert "observations" in inspector.get_table_names("weather")
    assert inspector.get_view_names("public"), "no view"
    columns = {column["name"]: column for column in inspector.get_columns("global_temp", "climate")}
    equal({name: str(column["type"]) for name, column in columns.items()}, {"year": "BIGINT", "temp": "DOUBLE PRECISION"})
    equal(inspector.get_pk_constraint("global_temp", "climate")["constrained_columns"], [])
    for of in (inspector.get_foreign_keys, inspector.get_indexes, inspector.get_unique_constraints,
               inspector.get_check_constraints):
        equal(of("global_temp", "climate"), [])
    inspector.get_table_comment("global_temp", "climate")
    equal(inspector.has_table("nope", "climate"), False)
    assert inspector.get_view_definition(inspector.get_view_names("public")[0], "public")


def reflection(engine):
    metadata = sa.MetaData()
    metadata.reflect(engine, schema="climate", views=True)
    table = metadata.tables["climate.global_temp"]
    with engine.connect() as connection:
        statement = sa.select(sa.func.count()).select_from(table).where(table.c.year > 1900)
        assert connection.execute(statement).scalar_one() > 0


def pool(engine):
    for _ in range(20):
        with engine.connect() as connection:
            equal(connection.execute(sa.text("SELECT 1")).scalar_one(), 1)
    equal(engine.dialect.server_version_info >= (15,), True)
    equal(engine.dialect.default_schema_name, "public")


def main():
    checks = Checks()
    for driver in ("psycopg", "psycopg2"):
        url = sa.URL.create(f"postgresql+{driver}", USER, None, HOST, PORT, DATABASE)
        engine = sa.create_engine(url, pool_pre_ping=True)
        for check in (values, expressions, streaming, transactions, errors, timeout, inspection, reflection, pool):
            checks.run(f"{driver}: {check.__name__}", functools.partial(check, engine))
        engine.dispose()
    checks.end()


if __name__ == "__main__":
    main()
