"""pgcli: what it asks to complete names, and the backslash commands of its own."""
import functools

from pgcli.pgexecute import PGExecute
from pgspecial.main import PGSpecial

from checks import DATABASE, HOST, PORT, USER, Checks, equal


def completion(client):
    assert "public" in client.search_path(), client.search_path()
    assert {"weather", "climate", "transactions"} <= set(client.schemata()), list(client.schemata())
    assert ("weather", "observations") in list(client.tables())
    columns = [column for column in client.table_columns() if column[:2] == ("weather", "observations")]
    assert columns and all(column[3] for column in columns), columns
    assert list(client.views()), "no view"
    assert len(list(client.functions())) > 100
    equal(DATABASE in client.databases(), True)
    for ask in (client.view_columns, client.datatypes, client.foreignkeys, client.casing, client.full_databases):
        list(ask())


def commands(client):
    for command in ("\\d", "\\dt weather.*", "\\d weather.observations", "\\dv", "\\dn", "\\df", "\\du", "\\l", "\\dT", "\\di",
                    "\\dx", "\\dm", "\\ds"):
        for _title, rows, _headers, status, sql, success, *_ in client.run(command, PGSpecial()):
            assert success is not False, f"{command}: {sql} {status}"
            list(rows or ())


def statements(client):
    (_, rows, headers, status, _, success, *_), *rest = client.run("SELECT 1 AS a, 'x' AS b; SELECT 2")
    equal((list(rows), list(headers), success, len(rest)), ([(1, "x")], ["a", "b"], True, 1))
    equal(status, "SELECT 1")


def main():
    checks = Checks()
    client = PGExecute(DATABASE, USER, "", HOST, str(PORT), None)
    for check in (completion, commands, statements):
        checks.run(check.__name__, functools.partial(check, client))
    checks.end()


if __name__ == "__main__":
    main()
