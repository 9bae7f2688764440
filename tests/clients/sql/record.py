#!/usr/bin/env python3
"""Records what psql asks a real PostgreSQL for its backslash commands: psql.sql beside this file.

    PGHOST=... PGPORT=... PGUSER=... PGDATABASE=lakegate python3 tests/clients/sql/record.py

The database gets the relations that the tests' sample lake has. Each statement is written with the names and types of
its columns; an object id becomes `@oid:schema.name@`, to be replaced by the id on the server under test.
"""
import pathlib
import re
import subprocess

import psycopg

FIXTURE = """
CREATE SCHEMA IF NOT EXISTS weather;
CREATE TABLE IF NOT EXISTS weather.observations (time timestamptz, station text, temp float8, n int8);
CREATE TABLE IF NOT EXISTS weather.stations (station text, name text, lat float8, "Height m" int8);
"""
COMMANDS = [
    r"\d", r"\d weather.observations", r"\d+ weather.stations", r"\dt *.*", r"\dt weather.*", r"\dv", r"\dm", r"\dn",
    r"\dn+", r"\l", r"\du", r"\di", r"\ds", r"\df nope", r"\dT nope", r"\dx", r"\d nope",
]


def hidden(command):
    run = subprocess.run(["psql", "-X", "-E", "-c", command], capture_output=True, text=True, check=False)
    return re.findall(r"\*+ QUERY \*+\n(.*?)\n\*{5,}", run.stdout, re.S)


def main():
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(FIXTURE)
        ids = dict(connection.execute(
            "SELECT c.oid::text, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE n.nspname = 'weather'").fetchall())
        out = ["-- What psql 15 asks for its backslash commands, recorded by record.py from PostgreSQL 15."]
        seen = set()
        for command in COMMANDS:
            for number, sql in enumerate(hidden(command), 1):
                named = re.sub(r"'(\d{5,})'", lambda found: f"'@oid:{ids[found[1]]}@'", sql)
                if named in seen:
                    continue
                seen.add(named)
                connection.pgconn.prepare(b"", sql.encode())
                told = connection.pgconn.describe_prepared(b"")
                assert not told.error_message, told.error_message
                columns = ", ".join(f"{told.fname(i).decode()}:{told.ftype(i)}" for i in range(told.nfields))
                out.append(f"\n-- name: psql / {command} #{number}\n-- columns(name:oid): {columns}\n{named}")
    pathlib.Path(__file__).with_name("psql.sql").write_text("\n".join(out) + "\n")
    print(len(seen), "statements")


main()
