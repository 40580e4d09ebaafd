#!/bin/sh
# Checks a running ImaGen from outside: makes a few images and leaves their rows there.
#
#   sh docs/smoke.sh [BASE_URL] [TOKEN]
#
# BASE_URL is http://127.0.0.1:8080 unless given; TOKEN is sent as "Authorization: Bearer TOKEN".
# SMOKE_DATABASE_URL (postgresql://...) adds a job inserted by psql, owned by SMOKE_OWNER.
set -u

base=${1:-http://127.0.0.1:8080}
token=${2:-}
owner=${SMOKE_OWNER:-00000000-0000-4000-8000-000000000001}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

# In a file, so that the list of processes does not show the token.
: > "$dir/auth"
[ -z "$token" ] || printf 'Authorization: Bearer %s\n' "$token" > "$dir/auth"

ok() {
    echo "ok - $1"
}

# fail WHAT EXPECTED: says what came, and ends.
fail() {
    echo "not ok - $1: expected $2, got status ${status:-none}: $(head -c 600 "$dir/body" 2>/dev/null | tr '\n\r' '  ')"
    exit 1
}

# call METHOD PATH [curl options]: status in $status, body in $dir/body.
call() {
    method=$1
    path=$2
    shift 2
    : > "$dir/body"
    status=$(curl -s -m 20 -o "$dir/body" -w '%{http_code}' -X "$method" -H "@$dir/auth" "$@" "$base$path") || true
}

# post PATH BODY [curl options]
post() {
    path=$1
    body=$2
    shift 2
    call POST "$path" -H 'Content-Type: application/json' -d "$body" "$@"
}

# field NAME: its first value in the last answer; nothing for null.
field() {
    sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" "$dir/body" | head -n 1
}

# expect WHAT STATUS [TEXT]: the last answer has this status and contains this text.
expect() {
    [ "$status" = "$2" ] || fail "$1" "status $2"
    [ -z "${3:-}" ] || grep -qF -- "$3" "$dir/body" || fail "$1" "an answer that contains $3"
    ok "$1"
}

# watch ID: reads the job's event stream to its end, which must be done.
watch() {
    status=stream
    curl -s -N -m 90 -H "@$dir/auth" "$base/jobs/$1/events" > "$dir/body"
    grep -q '^data: .*"status":"done"' "$dir/body" || fail "events of $1" 'a status event that says done within 90 s'
}

tomorrow() {
    seconds=$(($(date +%s) + 86400))
    date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$seconds" +%Y-%m-%dT%H:%M:%SZ
}

call GET /observe/health/ready
expect 'the service is ready' 200

post /jobs '{"prompt": "smoke test: a lighthouse at dawn", "seed": 7}'
expect 'POST /jobs with a seed is 201' 201 '"seed":7'
id=$(field id)
[ -n "$id" ] || fail 'POST /jobs with a seed is 201' 'an id'

call GET "/jobs/$id"
expect 'GET /jobs/{id} finds it' 200 "\"id\":\"$id\""

watch "$id"
ok 'its event stream ends with done'

call GET "/jobs/$id"
image=$(field image_url)
[ -n "$image" ] || fail 'GET /jobs/{id} has an image_url' 'an image_url'
case $image in
    http*) url=$image ;;
    *) url=$base$image ;;
esac
status=$(curl -s -L -m 20 -o "$dir/image" -w '%{http_code}' -H "@$dir/auth" "$url")
magic=$(head -c 8 "$dir/image" | od -An -tx1 | tr -d ' \n')
echo "bytes $magic" > "$dir/body"
[ "$status" = 200 ] && [ "$magic" = 89504e470d0a1a0a ] || fail 'its image is a PNG' '200 and bytes 89504e470d0a1a0a'
ok 'its image is a PNG'

call GET '/jobs?limit=200'
expect 'GET /jobs lists it' 200 "\"id\":\"$id\""

post /jobs "{\"prompt\": \"smoke test: a harbour tomorrow\", \"run_at\": \"$(tomorrow)\"}"
expect 'a job for tomorrow is 201 and pending' 201 '"status":"pending"'
later=$(field id)
post "/jobs/$later/cancel" ''
expect 'its cancel is 200 and cancelled' 200 '"status":"cancelled"'
post "/jobs/$later/retry" ''
expect 'its retry is 200 and pending' 200 '"status":"pending"'
# A retried job is due at once: it may have begun, or even be done.
post "/jobs/$later/cancel" ''
case $status in
    200 | 202) ok "its second cancel is $status" ;;
    409) expect 'its second cancel comes too late: 409, done' 409 'the job is done' ;;
    *) fail 'its second cancel' 'status 200, 202 or 409' ;;
esac

call GET /jobs/00000000-0000-0000-0000-000000000000
expect 'an unknown id is a 404 problem' 404 '"detail":"no such job"'
post /jobs '{"prompt": '
expect 'bad JSON is a 400 problem' 400 '"detail":"the body is not valid JSON'
post /jobs '{"prompt": "a fox", "colour": "red"}'
expect 'an unknown field is a 422 problem that names it' 422 '"field":"colour"'

key="smoke-$$-$(date +%s)"
post /jobs '{"prompt": "smoke test: a fox in snow"}' -H "Idempotency-Key: $key"
expect 'POST /jobs with an Idempotency-Key is 201' 201
first=$(field id)
post /jobs '{"prompt": "smoke test: a fox in snow"}' -H "Idempotency-Key: $key"
expect 'the same again is 200 with the same job' 200 "\"id\":\"$first\""

call GET /backends
expect 'GET /backends names a default' 200 '"default":true'
call GET /styles
expect 'GET /styles' 200 '"styles":['
call GET /usage
expect 'GET /usage counts attempts' 200 '"attempts":'
call GET /openapi
expect 'GET /openapi' 200 'openapi'
call GET /observe/metrics
expect 'the metrics have imagen_ names' 200 imagen_queue_jobs

if [ -z "${SMOKE_DATABASE_URL:-}" ] || ! command -v psql >/dev/null 2>&1; then
    echo 'skipped - an SQL insert is done (needs psql and SMOKE_DATABASE_URL)'
    exit 0
fi
status=psql
PGCONNECT_TIMEOUT=5 psql -XAtq "$SMOKE_DATABASE_URL" -v ON_ERROR_STOP=1 -c "set statement_timeout = '10s'" \
    -c "insert into imagen.jobs (owner_user_id, prompt) values ('$owner', 'smoke test: by SQL') returning id" \
    > "$dir/body" 2>&1 || fail 'an SQL insert' 'an id'
sql=$(head -n 1 "$dir/body")
watch "$sql"
call GET "/jobs/$sql"
expect 'an SQL insert is done' 200 '"status":"done"'
