#!/bin/sh
# The bucket, its events, the demo lake in it, and the roles file. It may run again: what is there stays.
set -eu

# A server that is live may not be ready yet.
tries=0
until mc alias set minio http://minio:9000 "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD"; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || exit 1
    sleep 1
done
mc mb --ignore-existing minio/lake
mc event add --ignore-existing minio/lake arn:minio:sqs::LAKEGATE:webhook --event put,delete
mc mirror --overwrite /demo/demo minio/lake

umask 022
printf '[[role]]\nname = "grafana"\nlogin = true\nverifier = "%s"\n' "$LAKEGATE_VERIFIER" >/roles/roles.toml
