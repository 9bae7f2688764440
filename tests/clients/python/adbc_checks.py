"""What checks of ADBC's Flight SQL driver share."""
import warnings

import adbc_driver_manager

# There are no transactions to begin, and the driver says so on every connection.
warnings.filterwarnings("ignore", message="Cannot disable autocommit")


def refused(run, *parts):
    try:
        run()
    except adbc_driver_manager.Error as error:
        told = f"{error} {error.details}"
        assert all(part in told for part in parts), told
        return
    raise AssertionError("no error")
