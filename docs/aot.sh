#!/bin/sh
# Makes an AOT cache, with which ImaGen starts faster: sh docs/aot.sh FILE JAVA-OPTIONS…
# Starts the service beside an embedded server below a folder that is removed at the end, has it do one job, and stops it.
# FILE holds for the same java, jar and libraries (same size and time of change) and the same options alone.
set -eu

cache=${1:?usage: sh docs/aot.sh FILE JAVA-OPTIONS, such as sh docs/aot.sh target/imagen.aot -jar target/imagen.jar}
shift
folder=$(mktemp -d)
server=
service=
finish() {
    for pid in $service $server; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' INT TERM

export IMAGEN_HOME="$folder/home" SERVER_HOST=127.0.0.1 SERVER_PORT=0 AUTH_MODE=none
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

# ready PID LOG: waits until it is.
ready() {
    until grep -q "psql '" "$2"; do
        if ! kill -0 "$1" 2>/dev/null; then
            cat "$2" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# The server is another process's: what unpacks it is in a sealed jar, and a cache with that holds at one place alone.
WORKER_ENABLED=false "$java" "$@" > "$folder/server" 2>&1 &
server=$!
ready $server "$folder/server"
sed 's/.*://' "$folder/home/postgres/pgpass" > "$folder/password"
DB_CONNECTION_URL=$(sed -n "s|.*psql 'postgresql://imagen@\([^?]*\)?.*|jdbc:postgresql://\1|p" "$folder/server") \
    DB_CONNECTION_USERNAME=imagen DB_CONNECTION_PASSWORD="file:$folder/password" \
    DB_MIGRATION_USERNAME=postgres DB_MIGRATION_PASSWORD="file:$folder/password" \
    "$java" -XX:AOTCacheOutput="$cache" "$@" > "$folder/service" 2>&1 &
service=$!
ready $service "$folder/service"
url=$(sed -n 's/.*ImaGen is ready: //p' "$folder/service")
for path in /observe/health/ready /observe/metrics / /images; do
    curl -fsS "$url$path" > "$folder/answer"
done
curl -fsS "$url/jobs" -H 'Content-Type: application/json' -H 'Prefer: wait=30' \
    -d '{"prompt": "a lighthouse at dawn"}' > "$folder/answer"
grep -q '"status":"done"' "$folder/answer"
kill $service
wait $service
service=
test -s "$cache"
