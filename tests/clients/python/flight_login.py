"""Logins over Flight with TLS: ADBC and pyarrow.flight against a server with roles.

Takes FLIGHT_PORT, PGUSER, PGPASSWORD, ROOT_CERTIFICATE, CLIENT_CERTIFICATE and CLIENT_KEY from the environment. The server's
tokens live for TOKEN_SECONDS.
"""
import os
import pathlib
import time

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow.flight as flight

from adbc_checks import refused
from checks import USER, Checks, equal

PORT = int(os.environ["FLIGHT_PORT"])
PASSWORD = os.environ["PGPASSWORD"]
CERTIFICATE = pathlib.Path(os.environ["ROOT_CERTIFICATE"]).read_text()
CLIENT_CERTIFICATE = pathlib.Path(os.environ["CLIENT_CERTIFICATE"]).read_text()
CLIENT_KEY = pathlib.Path(os.environ["CLIENT_KEY"]).read_text()
TOKEN_SECONDS = 2


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


def certificate():
    roots = {"adbc.flight.sql.client_option.tls_root_certs": CERTIFICATE,
             "adbc.flight.sql.client_option.mtls_cert_chain": CLIENT_CERTIFICATE,
             "adbc.flight.sql.client_option.mtls_private_key": CLIENT_KEY}
    with flightsql.connect(f"grpc+tls://localhost:{PORT}", db_kwargs=roots) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_user::text")
        equal(cursor.fetchall(), [(USER,)])
    client = flight.FlightClient(f"grpc+tls://localhost:{PORT}", tls_root_certs=CERTIFICATE, cert_chain=CLIENT_CERTIFICATE,
                                 private_key=CLIENT_KEY)
    with client:
        assert list(client.list_actions())


def one(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def a_new_token_is_taken():
    with connect() as connection, connect() as other:
        pid = one(connection, "SELECT pg_backend_pid()")
        # Old enough to be answered with another.
        time.sleep(TOKEN_SECONDS * 0.7)
        equal(one(connection, "SELECT pg_backend_pid()"), pid)
        time.sleep(TOKEN_SECONDS * 0.7)
        # Without its session the first token would let nobody in any more.
        equal(one(other, f"SELECT pg_terminate_backend({pid})"), True)
        refused(lambda: one(connection, "SELECT 1"), "terminating connection due to administrator command", "57P01")
        equal(one(connection, "SELECT current_user::text"), USER)


checks = Checks()
for check in (right_password, wrong_password, in_the_clear, token, certificate, a_new_token_is_taken):
    checks.run(check.__name__, check)
checks.end()
