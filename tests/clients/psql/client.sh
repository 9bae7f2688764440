#!/usr/bin/env bash
# psql: what a person types first, as far as the psql of PATH knows it. Needs PGHOST, PGPORT, PGUSER, PGDATABASE, and the
# table weather.observations.
set -uo pipefail

passed=0
failed=0

# check NAME PATTERN COMMAND...: the command succeeds and its output has a match of the extended pattern.
check() {
    local name=$1 pattern=$2 output status
    shift 2
    output=$("$@" 2>&1)
    status=$?
    if [[ $status -eq 0 ]] && grep -Eq -- "$pattern" <<<"$output"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s (status %s, no match of %s)\n%s\n' "$name" "$status" "$pattern" "$output"
    fi
}

# fails NAME PATTERN COMMAND...: the command fails and says why.
fails() {
    local name=$1 pattern=$2 output
    shift 2
    if output=$("$@" 2>&1); then
        failed=$((failed + 1))
        printf 'FAILED: %s (it succeeded)\n%s\n' "$name" "$output"
    elif grep -Eq -- "$pattern" <<<"$output"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s (no match of %s)\n%s\n' "$name" "$pattern" "$output"
    fi
}

version=$(psql --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')

ask() { psql -X -v ON_ERROR_STOP=1 "$@"; }

check '\conninfo' "(connected to database \"$PGDATABASE\"|Database +\\| $PGDATABASE)" ask -c '\conninfo'
check '\l' "$PGDATABASE" ask -c '\l'
check '\dn' 'weather' ask -c '\dn'
check '\d' '(List of relations|Did not find any)' ask -c '\d'
check '\dt *.*' 'weather *\| *observations *\| *table' ask -c '\dt *.*'
check '\dt weather.*' 'observations' ask -c '\dt weather.*'
check '\d table' '(time|observation_at) +\| *timestamp with(out)? time zone' ask -c '\d weather.observations'
check '\d+ table' 'station +\| *(text|character varying)' ask -c '\d+ weather.observations'
check '\dv' 'public *\| *climate_analysis *\| *view' ask -c '\dv *.*'
check '\dm' 'Did not find any (relations|materialized views)' ask -c '\dm'
check '\du' "$PGUSER" ask -c '\du'
check '\dx' 'extensions' ask -c '\dx'
check '\encoding' 'UTF8' ask -c '\encoding'
check 'several -c' '^3$' ask -At -c 'SELECT 1' -c 'SELECT 2' -c 'SELECT 3'
check 'several statements in one' '^1$' ask -At -c "SET TimeZone = 'UTC'; SELECT 1"
check 'csv' '^1,"a,b",$' ask --csv -t -c "SELECT 1, 'a,b', NULL"
check 'expanded' 'a \| 1' ask -x -c 'SELECT 1 AS a'
check 'a variable' '^it.s$' ask -At -v word="it's" -f - <<<"SELECT :'word'"
check '\gdesc' 'numeric' ask -f - <<<'SELECT 1.5 AS a \gdesc'
check 'rows in parts' '^100000$' bash -c "psql -X -At -v FETCH_COUNT=7000 -c 'SELECT x FROM generate_series(1, 100000) t(x)' | wc -l"
check 'a transaction' 'ROLLBACK' ask -f - <<<'BEGIN; SELECT 1; ROLLBACK;'
check '\timing' 'Time:' ask -f - <<<$'\\timing on\nSELECT 1;'
fails 'an error has its place' 'LINE 1: SELECT nope' ask -c 'SELECT nope'
fails 'a statement that is refused' 'ERROR' ask -c 'SELECT 1/0'
fails 'another database' 'database "nope" does not exist' psql -X -d nope -c 'SELECT 1'
# Every command that lists objects, with `+` and `S`, as far as this psql has it.
for command in d d+ dS 'd weather.*' 'd+ weather.observations' 'd+ climate_analysis' da dA dA+ dAc dAf dAo dAp db db+ dc dc+ \
    dC dC+ dd ddp dD dconfig 'dconfig *zone*' dD+ dE des+ det+ deu+ dew+ df df+ 'df date_trunc' dF dFd dFp dFt dg+ di di+ dl dL dL+ dm dm+ dn+ dnS \
    do dO dO+ dp 'dp weather.*' dP drds dRp dRs ds dt dt+ dtS 'dt *.*' dT dT+ dTS 'dT int4' du du+ dv dv+ dvS dx dX dy l+ \
    z 'sf now' 'sv climate_analysis' 'sv+ climate_analysis'; do
    check "\\$command" '' ask -c "\\$command"
done
check 'the source of a function' 'FUNCTION pg_catalog.now\(\)' ask -c '\sf now'
check '\copy' '^1,x$' ask -c "\\copy (SELECT 1, 'x') TO STDOUT (FORMAT csv)"
check '\watch' '^1$' bash -c '
    psql -X -At -f - <<<"SELECT 1 \\watch 0.1" & sleep 0.5; kill -INT $!; wait $!; true'
if [[ $version -ge 16 ]]; then
    check '\drg' '' ask -c '\drg'
    check '\bind' '^7\|x$' ask -At -f - <<<'SELECT $1::int + 3, $2 \bind 4 x \g'
    check '\watch, twice' '^2$' bash -c 'psql -X -At -f - <<<"SELECT 1 \\watch count=2 interval=0.01" | grep -c "^1$"'
fi
if [[ $version -ge 18 ]]; then
    check '\parse and \bind_named' '^9$' ask -At -f - <<<$'SELECT $1::int * 3 \\parse three\n\\bind_named three 3 \\g\n\\close_prepared three'
    check 'a pipeline' '^2$' ask -At -f - <<<$'\\startpipeline\nSELECT 1 \\bind \\sendpipeline\nSELECT $1 \\bind 2 \\sendpipeline\n\\endpipeline'
fi
check 'a view of its own' '^CREATE VIEW$' ask -c "CREATE OR REPLACE VIEW public.psql_view AS SELECT 7 AS n"
check 'a comment on it' '^COMMENT$' ask -c "COMMENT ON COLUMN public.psql_view.n IS 'a lucky number'"
check '\sv of it' 'VIEW public.psql_view AS' ask -c '\sv psql_view'
check '\d+ of it' 'n +\|.*a lucky number' ask -c '\d+ psql_view'
check 'no view any more' '^DROP VIEW$' ask -c 'DROP VIEW public.psql_view'
check 'after an error' '^7$' psql -X -At -c 'SELECT nope' -c 'SELECT 7'
check 'a cancel by Ctrl-C' '57014|canceling statement due to user request' bash -c '
    psql -X -c "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11" 2>&1 &
    sleep 1; kill -INT $!; wait $!; true'
check 'the sslmode of a careful person' '^1$' env PGSSLMODE=prefer psql -X -At -c 'SELECT 1'
check 'pg_isready' 'accepting connections' pg_isready

printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
