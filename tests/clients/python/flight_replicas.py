"""Two servers over one lake, with one key: a ticket of one is served by the other; one that is killed gives its client an error.

Takes FLIGHT_PORT of the one that stays, OTHER_FLIGHT_PORT and OTHER_PID of the one that is killed.
"""
import os
import signal
import time

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow.flight as flight

import adbc_checks  # It takes a warning away.
from checks import HOST, USER, Checks, equal

STAYS, LEAVES = int(os.environ["FLIGHT_PORT"]), int(os.environ["OTHER_FLIGHT_PORT"])
PID = int(os.environ["OTHER_PID"])
# More than sockets and windows hold, so that the rows are under way when their server dies.
ROWS = 100_000
MANY_ROWS = f"SELECT a, repeat('x', 1000) FROM generate_series(1, {ROWS}) a"
SECONDS_MAX = 10


def connect(port):
    return flightsql.connect(f"grpc://{HOST}:{port}", db_kwargs={"username": USER, "password": "none"})


def one(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def a_ticket_is_good_everywhere():
    with connect(LEAVES) as planner, connect(STAYS) as reader:
        one(planner, "SET TimeZone = 'Asia/Tokyo'")
        sql = "SELECT count(*), current_setting('TimeZone') FROM weather.observations"
        with planner.cursor() as asking, reader.cursor() as fetching:
            [ticket], _ = asking.adbc_execute_partitions(sql)
            fetching.adbc_read_partition(ticket)
            equal(fetching.fetchone(), one(planner, sql))
        # The reader's own variables are as they were.
        assert one(reader, "SHOW TimeZone") != ("Asia/Tokyo",)


def a_killed_server_is_an_error_and_the_other_serves_its_ticket():
    with connect(LEAVES) as planner, planner.cursor() as asking:
        [partition], _ = asking.adbc_execute_partitions(MANY_ROWS)
    [endpoint] = flight.FlightInfo.deserialize(partition).endpoints
    with flight.FlightClient(f"grpc://{HOST}:{LEAVES}") as client:
        options = flight.FlightCallOptions(headers=[client.authenticate_basic_token(USER, "none")])
        rows = client.do_get(endpoint.ticket, options)
        assert rows.read_chunk().data.num_rows > 0
        os.kill(PID, signal.SIGKILL)
        killed_at = time.monotonic()
        try:
            # A result that was cut must not look whole: StopIteration is no error to expect.
            while time.monotonic() - killed_at < SECONDS_MAX:
                rows.read_chunk()
            raise AssertionError("rows go on")
        except (flight.FlightUnavailableError, flight.FlightInternalError):
            pass
        assert time.monotonic() - killed_at < SECONDS_MAX
    with flight.FlightClient(f"grpc://{HOST}:{STAYS}") as client:
        # The token is as good here as the ticket.
        equal(client.do_get(endpoint.ticket, options).read_all().num_rows, ROWS)
    with connect(STAYS) as other:
        equal(one(other, "SELECT 'alive'"), ("alive",))


checks = Checks()
for check in (a_ticket_is_good_everywhere, a_killed_server_is_an_error_and_the_other_serves_its_ticket):
    checks.run(check.__name__, check)
checks.end()
