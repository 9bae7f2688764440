#!/usr/bin/env bash
# psql with a password: SCRAM in the clear and bound to TLS. Needs PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD and
# the server's certificate in ROOT_CERTIFICATE, and one of the role itself in CLIENT_CERTIFICATE, with its key in CLIENT_KEY.
set -uo pipefail

passed=0
failed=0

# expect NAME STATUS PATTERN CONNECTION: psql ends with this status, and its output has a match.
expect() {
    local name=$1 wanted=$2 pattern=$3 output status
    output=$(psql -X -At -d "dbname=$PGDATABASE $4" -c 'SELECT current_user' 2>&1)
    status=$?
    if [[ $status -eq $wanted ]] && grep -Eq -- "$pattern" <<<"$output"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s (status %s)\n%s\n' "$name" "$status" "$output"
    fi
}

tls="sslmode=verify-ca sslrootcert=$ROOT_CERTIFICATE"
expect 'a password in the clear' 0 "^$PGUSER\$" 'sslmode=disable channel_binding=disable'
expect 'a password inside TLS' 0 "^$PGUSER\$" "$tls channel_binding=disable"
expect 'a password bound to TLS' 0 "^$PGUSER\$" "$tls channel_binding=require"
expect 'TLS where it is offered' 0 "^$PGUSER\$" 'sslmode=prefer'
expect 'binding needs TLS' 2 'channel binding' 'sslmode=disable channel_binding=require'
expect 'a wrong password' 2 'password authentication failed for user' 'sslmode=disable password=wrong'
expect 'a wrong password inside TLS' 2 'password authentication failed for user' "$tls password=wrong"
certified="$tls sslcert=$CLIENT_CERTIFICATE sslkey=$CLIENT_KEY"
expect 'a certificate of the role' 0 "^$PGUSER\$" "$certified password=wrong channel_binding=disable"
expect 'a certificate of another role' 2 'password authentication failed for user "nobody"' "$certified user=nobody channel_binding=disable"
expect 'an unknown user' 2 'password authentication failed for user "nobody"' 'sslmode=disable user=nobody'
expect 'a certificate of somebody else' 2 'certificate' "sslmode=verify-full sslrootcert=/dev/null"

printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
