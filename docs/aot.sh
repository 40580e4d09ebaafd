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

java=${JAVA_HOME:+$JAVA_HOME/bin/}java

# start NAME=VALUE… JAVA-OPTIONS…: with these settings alone. What the caller has set for another service, such as its
# database, its store or a backend's key, must not be worked with here.
start() {
    exec env -i PATH="$PATH" HOME="${HOME:-/}" ${JAVA_HOME:+"JAVA_HOME=$JAVA_HOME"} IMAGEN_HOME="$folder/home" \
        SERVER_HOST=127.0.0.1 SERVER_PORT=0 AUTH_MODE=none "$@"
}

# ready PID LOG: waits until it is, two minutes at most.
ready() {
    left=1200
    until grep -qs "psql '" "$2"; do
        left=$((left - 1))
        if [ $left -eq 0 ]; then
            cat "$2" >&2
            echo "It was not ready within two minutes; above is what it said." >&2
            exit 1
        fi
        if ! kill -0 "$1" 2>/dev/null; then
            cat "$2" >&2
            echo "It ended before it was ready; above is what it said." >&2
            exit 1
        fi
        sleep 0.1
    done
}

# The server is another process's: what unpacks it is in a sealed jar, and a cache with that holds at one place alone.
start WORKER_ENABLED=false "$java" "$@" > "$folder/server" 2>&1 &
server=$!
ready $server "$folder/server"
sed 's/.*://' "$folder/home/postgres/pgpass" > "$folder/password"
database=$(sed -n "s|.*psql 'postgresql://imagen@\([^?]*\)?.*|jdbc:postgresql://\1|p" "$folder/server")
start DB_CONNECTION_URL="$database" \
    DB_CONNECTION_USERNAME=imagen DB_CONNECTION_PASSWORD="file:$folder/password" \
    DB_MIGRATION_USERNAME=postgres DB_MIGRATION_PASSWORD="file:$folder/password" \
    "$java" -XX:AOTCacheOutput="$cache" "$@" > "$folder/service" 2>&1 &
service=$!
ready $service "$folder/service"
url=$(sed -n 's/.*ImaGen is ready: //p' "$folder/service")
for path in /observe/health/ready /observe/metrics / /images; do
    curl -fsS --noproxy 127.0.0.1 "$url$path" > "$folder/answer"
done
curl -fsS --noproxy 127.0.0.1 "$url/jobs" -H 'Content-Type: application/json' -H 'Prefer: wait=30' \
    -d '{"prompt": "a lighthouse at dawn"}' > "$folder/answer"
grep -q '"status":"done"' "$folder/answer"
kill $service
wait $service
service=
test -s "$cache"
