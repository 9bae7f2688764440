#!/usr/bin/env bash
# pgbench: many clients at once, in each protocol. Needs PGHOST, PGPORT, PGUSER, PGDATABASE, and pgbench as $1.
set -uo pipefail

pgbench=$1
script=$(dirname "$0")/pgbench.sql
passed=0
failed=0
for mode in simple extended prepared; do
    if output=$("$pgbench" -n -M "$mode" -f "$script" -c 8 -j 2 -t 50 "$PGDATABASE" 2>&1) &&
        grep -q 'actually processed: 400/400' <<<"$output" && grep -q 'failed transactions: 0 ' <<<"$output"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n%s\n' "$mode" "$output"
    fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
