"""Counts checks, prints what failed, and knows the values that every driver sends and gets back.

Connections take PGHOST, PGPORT, PGUSER and PGDATABASE from the environment, as the drivers do.
"""
import datetime as dt
import decimal
import os
import sys
import threading
import traceback
import uuid

HOST = os.environ.get("PGHOST", "127.0.0.1")
PORT = int(os.environ.get("PGPORT", "5433"))
USER = os.environ.get("PGUSER", "lakegate")
DATABASE = os.environ.get("PGDATABASE", "lakegate")

UTC = dt.timezone.utc
ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11"

# The SQL type and a value that must come back as it went.
VALUES = [
    ("int2", -32768), ("int2", 7), ("int4", 2147483647), ("int4", -1), ("int8", -9223372036854775808), ("int8", 5),
    ("float4", 0.5), ("float8", 0.1), ("float8", -1e300), ("float8", float("inf")),
    ("numeric", decimal.Decimal("12345678901234567890.123456789")), ("numeric", decimal.Decimal("-0.0001")),
    ("numeric", decimal.Decimal("0.00")), ("numeric", decimal.Decimal("10000")),
    ("text", ""), ("text", "it's \"quoted\" \\ naïve 😀\n"), ("varchar", "abc"),
    ("bool", True), ("bool", False),
    ("date", dt.date(2024, 2, 29)), ("date", dt.date(1, 1, 1)),
    ("timestamp", dt.datetime(2024, 2, 29, 13, 14, 15, 123456)), ("timestamp", dt.datetime(1969, 12, 31, 23, 59, 59)),
    ("timestamptz", dt.datetime(2024, 2, 29, 13, 14, 15, 123456, tzinfo=UTC)),
    ("interval", dt.timedelta(days=3, hours=4, seconds=5, microseconds=6)), ("interval", dt.timedelta(seconds=-90)),
    ("bytea", b""), ("bytea", bytes(range(256))),
    ("uuid", uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
    ("int4[]", [1, 2, 3]), ("int8[]", []), ("text[]", ["a", "b c", "", 'd"e', None]), ("float8[]", [0.5, -1.0]),
]
TYPES = ["int2", "int4", "int8", "float4", "float8", "numeric", "text", "bool", "date", "timestamp", "timestamptz",
         "interval", "bytea", "uuid", "int4[]", "text[]"]


class Checks:
    """Runs named checks one after the other."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def run(self, name, check):
        try:
            check()
            self.passed += 1
        except Exception:  # A check may fail in any way; the others run on.
            self.failed += 1
            print(f"FAILED: {name}\n{traceback.format_exc(limit=-3)}")

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


def equal(got, expected):
    assert got == expected and isinstance(got, type(expected)), f"{got!r} instead of {expected!r}"


def fails_with(state, call, state_of):
    """The call must raise, with this SQLSTATE."""
    try:
        call()
    except Exception as error:
        assert state_of(error) == state, f"{state_of(error)} instead of {state}: {error!r}"
        return
    raise AssertionError(f"no error instead of {state}")


def soon(call, seconds=0.5):
    """Calls from another thread, a little later: a cancel must come while the statement runs."""
    timer = threading.Timer(seconds, call)
    timer.start()
    return timer
