"""Random tables: what the files of all formats must give back. The same seed makes the same tables."""
import dataclasses
import datetime as dt
import decimal
import math
import struct

UTC = dt.timezone.utc
PIECES = ["", "0", "007", "word", "two words", " edges ", 'say "so"', "a,b;c|d\te", "line\nbreak", "line\r\nbreak", "naïve",
          "東京", "😀", "NA", "null", "\\N", "\\", "'", "#", "=1+1", "1e5", "-", "true", "2024-01-31", "x" * 300]
LATIN = [piece for piece in PIECES if piece.isascii()] + ["é", "Côte d'Ivoire", "10 €"]
KINDS = ("bool", "small", "long", "wide", "float", "real", "decimal", "text", "date", "timestamp", "instant")


@dataclasses.dataclass
class Column:
    name: str
    kind: str
    values: list
    # Digits and decimals of a decimal.
    digits: tuple = (0, 0)


@dataclasses.dataclass
class Table:
    columns: list
    rows: int

    def with_values(self, change):
        """The same table, each column with what `change` makes of it."""
        return Table([dataclasses.replace(column, values=change(column)) for column in self.columns], self.rows)


def value(random, kind, digits, latin):
    if kind == "bool":
        return random.random() < 0.5
    if kind == "small":
        return random.choice((0, -1, 1, 32767, -2147483648, 2147483647, random.randrange(-1000, 1000)))
    if kind == "long":
        return random.choice((-(2**63), 2**63 - 1, random.randrange(-10, 10), random.randrange(-(2**63), 2**63)))
    if kind == "wide":
        return random.randrange(-(10**18), 10**18)
    if kind == "float":
        return random.choice((0.0, -0.0, 1.5, 1e300, -1e-300, 5e-324, math.nan, math.inf, -math.inf, random.uniform(-1e6, 1e6),
                              random.random(), float(random.randrange(100))))
    if kind == "real":
        return struct.unpack("f", struct.pack("f", random.choice((0.5, math.nan, 3.4e38, random.uniform(-1e4, 1e4)))))[0]
    if kind == "decimal":
        precision, scale = digits
        whole = random.randrange(-(10 ** random.randint(1, precision)) + 1, 10 ** random.randint(1, precision))
        return decimal.Decimal(whole).scaleb(-scale, decimal.Context(prec=60))
    if kind == "text":
        pieces = LATIN if latin else PIECES
        return random.choice(pieces) if random.random() < 0.7 else "".join(random.choices(pieces, k=random.randint(2, 4)))
    if kind == "date":
        return dt.date(1, 1, 1) + dt.timedelta(random.choice((0, 719162, 3652058, random.randrange(700000, 740000))))
    moment = dt.datetime(random.choice((1, 1900, 1969, 1970, 2024, 9999)), random.randint(1, 12), random.randint(1, 28),
                         random.randrange(24), random.randrange(60), random.randrange(60),
                         random.choice((0, 0, 500_000, random.randrange(10**6))))
    return moment.replace(tzinfo=UTC) if kind == "instant" else moment


def table(random):
    """A table with a number of each row, and with a word in every column of texts."""
    rows = random.choice((1, 2, 5, 50, 50, 300))
    latin = random.random() < 0.3
    columns = [Column("id", "small", list(range(rows)))]
    for place in range(random.randint(1, 7)):
        kind, digits = random.choice(KINDS), (0, 0)
        if kind == "decimal":
            precision = random.choice((5, 9, 18, 30, 38))
            digits = (precision, random.randint(0, min(precision, 10)))
        share = random.choice((0, 0.2, 0.2, 0.9))
        values = [None if random.random() < share else value(random, kind, digits, latin) for _ in range(rows)]
        if kind == "text":
            values[random.randrange(rows)] = random.choice(("word", "two words"))
        name = random.choice((f"c{place}", f"Column {place}", f"größe{place}" if latin else f"列{place}"))
        columns.append(Column(name, kind, values, digits))
    return Table(columns, rows)
