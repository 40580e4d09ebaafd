#!/bin/sh
# Makes an AOT cache, with which ImaGen starts faster: sh docs/aot.sh FILE JAVA-OPTIONS…
# Starts the service on a new embedded server below a folder that is removed at the end, has it do one job, and stops it.
# FILE holds for the same java, jar and libraries (same size and time of change) and the same options alone.
set -eu

cache=${1:?usage: sh docs/aot.sh FILE JAVA-OPTIONS, such as sh docs/aot.sh target/imagen.aot -jar target/imagen.jar}
shift
folder=$(mktemp -d)
pid=
finish() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" || true
    fi
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' INT TERM

IMAGEN_HOME=$folder/home SERVER_HOST=127.0.0.1 SERVER_PORT=0 AUTH_MODE=none \
    "${JAVA_HOME:+$JAVA_HOME/bin/}java" -XX:AOTCacheOutput="$cache" "$@" > "$folder/log" 2>&1 &
pid=$!
until grep -q 'ImaGen is ready' "$folder/log"; do
    if ! kill -0 "$pid" 2>/dev/null; then
        cat "$folder/log" >&2
        exit 1
    fi
    sleep 0.1
done
url=$(sed -n 's/.*ImaGen is ready: //p' "$folder/log")
for path in /observe/health/ready /observe/metrics / /images; do
    curl -fsS "$url$path" > "$folder/answer"
done
curl -fsS "$url/jobs" -H 'Content-Type: application/json' -H 'Prefer: wait=30' \
    -d '{"prompt": "a lighthouse at dawn"}' > "$folder/answer"
grep -q '"status":"done"' "$folder/answer"
kill "$pid"
wait "$pid"
pid=
test -s "$cache"
