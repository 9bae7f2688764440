#!/usr/bin/env python3
"""Records what PostgreSQL answers to the statements in the files beside this one, and writes it into them.

    PGHOST=... PGPORT=... PGUSER=... PGDATABASE=lakedb python3 tests/clients/sql/record_statements.py FILE...

The database needs the relations `public.weather`, `public.weather_v` and `lake.stations` of the tests' fixture. A file is
a list of statements, each under a line `-- name: client / section #n`; its line `-- columns(name:oid):` is written anew,
and a statement that PostgreSQL refuses gets `-- pg15: ERROR state` instead and is not checked. The statements of one
section share a connection. An id of an object is written as `@oid:schema.name@` and filled in, here as in the test.
"""
import pathlib
import re
import sys

import psycopg
from psycopg import pq

TOLD = ("-- columns(", "-- pg15:")


def with_ids(connection, sql):
    def value(found):
        kind, _, name = found[1].rpartition(":")
        query = {
            "": f"SELECT '{name}'::regclass::oid",
            "schema": f"SELECT oid FROM pg_namespace WHERE nspname = '{name}'",
            "db": "SELECT oid FROM pg_database WHERE datname = current_database()",
        }[kind]
        return connection.pgconn.exec_(query.encode()).get_value(0, 0).decode()

    return re.sub(r"@oid:([^@]*)@", value, sql)


def answer(connection, sql):
    """The first result's columns, or the error's state."""
    connection.pgconn.send_query(with_ids(connection, sql).encode())
    first, failed = None, None
    while (result := connection.pgconn.get_result()) is not None:
        if result.status in (pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_IN):
            while connection.pgconn.get_copy_data(0)[0] > 0:
                pass
            first = first or ""
        elif result.status == pq.ExecStatus.FATAL_ERROR:
            failed = failed or result.error_field(pq.DiagnosticField.SQLSTATE).decode()
        elif result.nfields and not first:
            first = ", ".join(f"{result.fname(i).decode()}:{result.ftype(i)}" for i in range(result.nfields))
    return f"-- pg15: ERROR {failed}" if failed else f"-- columns(name:oid): {first or ''}"


def record(path):
    head, *parts = path.read_text().split("-- name: ")
    out, section, connection, refused = [head], None, None, 0
    for part in parts:
        name, _, sql = part.partition("\n")
        sql = "\n".join(line for line in sql.split("\n") if not line.startswith(TOLD)).strip()
        of = name.rsplit(" #", 1)[0]
        if of != section:
            section, connection = of, psycopg.connect(autocommit=True)
        told = answer(connection, sql)
        if told.startswith("-- pg15"):
            refused += 1
            print(name, told)
            if connection.info.transaction_status == pq.TransactionStatus.INERROR:
                connection.pgconn.exec_(b"ROLLBACK")
        out.append(f"-- name: {name}\n{told.rstrip()}\n{sql}\n\n")
    path.write_text("".join(out).rstrip() + "\n")
    print(f"{path.name}: {len(parts)} statements, {refused} refused")


for file in sys.argv[1:]:
    record(pathlib.Path(file))
