"""Logins over Flight with TLS: ADBC and pyarrow.flight against a server with roles.

Takes FLIGHT_PORT, PGUSER, PGPASSWORD and ROOT_CERTIFICATE from the environment.
"""
import os
import pathlib

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow.flight as flight

from adbc_checks import refused
from checks import USER, Checks, equal

PORT = int(os.environ["FLIGHT_PORT"])
PASSWORD = os.environ["PGPASSWORD"]
CERTIFICATE = pathlib.Path(os.environ["ROOT_CERTIFICATE"]).read_text()


def connect(scheme="grpc+tls", password=PASSWORD, **options):
    roots = {"adbc.flight.sql.client_option.tls_root_certs": CERTIFICATE} if scheme == "grpc+tls" else {}
    return flightsql.connect(f"{scheme}://localhost:{PORT}",
                             db_kwargs={"username": USER, "password": password, **roots, **options})


def right_password():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_user::text")
        equal(cursor.fetchall(), [(USER,)])


def wrong_password():
    refused(lambda: connect(password="a wrong password"), "password authentication failed", "28P01")


def in_the_clear():
    refused(lambda: connect(scheme="grpc", **{"adbc.flight.sql.rpc.timeout_seconds.query": "5"}))


def token():
    with flight.FlightClient(f"grpc+tls://localhost:{PORT}", tls_root_certs=CERTIFICATE) as client:
        header = client.authenticate_basic_token(USER, PASSWORD)
    # The token is all that another connection needs.
    with flight.FlightClient(f"grpc+tls://localhost:{PORT}", tls_root_certs=CERTIFICATE) as client:
        options = flight.FlightCallOptions(headers=[header])
        assert any(action.type == "CloseSession" for action in client.list_actions(options))
        try:
            list(client.list_actions())
        except flight.FlightUnauthenticatedError as error:
            assert "no credentials were given" in str(error), error
        else:
            raise AssertionError("no error")


checks = Checks()
for check in (right_password, wrong_password, in_the_clear, token):
    checks.run(check.__name__, check)
checks.end()
