#!/usr/bin/env bash
# postgres_fdw: a PostgreSQL of its own imports our tables and reads them. Needs PGHOST, PGPORT, PGUSER, PGDATABASE of the
# server under test, the folder of PostgreSQL's programs and a folder to work in.
set -euo pipefail

programs=$1
work=$2
remote_host=$PGHOST remote_port=$PGPORT remote_user=$PGUSER remote_database=$PGDATABASE
unset PGHOST PGPORT PGUSER PGDATABASE

# PostgreSQL does not run as root.
as_postgres() { if [[ $(id -u) -eq 0 ]]; then su postgres -s /bin/bash -c "$*"; else bash -c "$*"; fi; }

mkdir -p "$work"
if [[ $(id -u) -eq 0 ]]; then chown postgres "$work"; fi
stop() { as_postgres "$programs/pg_ctl -D $work/data -m immediate stop" >/dev/null 2>&1 || true; }
trap stop EXIT
as_postgres "$programs/initdb -D $work/data -A trust -E UTF8 --locale=C >/dev/null"
# Over a socket of its own: no port is taken.
as_postgres "$programs/pg_ctl -D $work/data -l $work/log -w -o \"-c listen_addresses='' -k $work\" start >/dev/null"

ask() { psql -X -q -At -v ON_ERROR_STOP=1 -h "$work" -U postgres -d postgres "$@"; }
passed=0
failed=0
check() {
    local name=$1 expected=$2 got
    shift 2
    if got=$(ask "$@" 2>&1) && [[ $got == "$expected" ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  expected: %s\n  got: %s\n' "$name" "$expected" "$got"
    fi
}

ask <<SQL
CREATE EXTENSION postgres_fdw;
CREATE SERVER lake FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host '$remote_host', port '$remote_port', dbname '$remote_database');
CREATE USER MAPPING FOR postgres SERVER lake OPTIONS (user '$remote_user');
CREATE SCHEMA climate;
CREATE SCHEMA weather;
SQL
check 'IMPORT FOREIGN SCHEMA' '' -c 'IMPORT FOREIGN SCHEMA climate FROM SERVER lake INTO climate'
check 'a table of it' '' -c 'IMPORT FOREIGN SCHEMA weather LIMIT TO (observations) FROM SERVER lake INTO weather'
direct() { psql -X -At -h "$remote_host" -p "$remote_port" -U "$remote_user" -d "$remote_database" -c "$1"; }
for query in 'SELECT count(*) FROM weather.observations' \
    'SELECT count(*) FROM climate.global_temp' \
    'SELECT * FROM climate.co2_concentration ORDER BY 1, 2 LIMIT 5'; do
    check "$query" "$(direct "$query")" -c "$query"
done
check 'a join' "$(direct 'SELECT count(*) FROM climate.co2_concentration')" \
    -c 'SELECT count(*) FROM climate.co2_concentration a WHERE EXISTS (SELECT FROM climate.co2_concentration b WHERE a = b)'
check 'a cursor' '2' -c 'BEGIN' -c 'DECLARE c CURSOR FOR SELECT 1 FROM climate.global_temp' -c 'MOVE 2 FROM c' \
    -c 'SELECT 2' -c 'COMMIT'
check 'ANALYZE' '' -c 'ANALYZE climate.global_temp'
if { ask -c 'SELECT count(*) FROM climate.global_temp WHERE 1 / (year - year) = 1' 2>&1 || true; } | grep -q 'division by zero'; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo 'FAILED: an error of the far side is told'
fi

printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
