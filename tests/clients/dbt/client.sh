#!/usr/bin/env bash
# dbt: connects, makes a view and makes it anew, tests sources and models, reads the catalog for its documentation. Needs PGHOST, PGPORT, PGUSER, PGDATABASE;
# the argument is dbt's program.
set -uo pipefail

cd "$(dirname "$0")"
dbt=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export DBT_TARGET_PATH=$out DBT_LOG_PATH=$out DBT_USE_COLORS=false
passed=0
failed=0

# check NAME PATTERN ARGUMENT...: dbt succeeds with these arguments, and its output has a match of the extended pattern.
check() {
    local name=$1 pattern=$2 output
    shift 2
    if output=$("$dbt" "$@" --profiles-dir . 2>&1) &&
        grep -Eq -- "$pattern" <<<"$output"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s (no match of %s)\n%s\n' "$name" "$pattern" "$output"
    fi
}

check 'debug' 'All checks passed' debug
check 'a view' 'PASS=1 WARN=0 ERROR=0' run --select hot_stations
check 'a view in the place of the last' 'PASS=1 WARN=0 ERROR=0' run --select hot_stations
check 'tests of sources and models' 'PASS=5 WARN=0 ERROR=0' test
check 'a view by its rows' 'warm_days' show --inline 'select * from weather_marts.hot_stations' --limit 1
check 'a model' 'station' show --select warm_days --limit 3
check 'documentation' 'Catalog written' docs generate
for known in '"observation_at"' 'Stations that were warm at least once' '"Its identifier"'; do
    if grep -q "$known" "$out/catalog.json"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: the documentation does not have $known"
    fi
done

printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
