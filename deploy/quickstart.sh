#!/usr/bin/env bash
# From nothing to a migration under load, forward and back, on a throw-away PostgreSQL.
#
#   deploy/quickstart.sh [--users N] [--keep] [--port P] [--no-install] [--build-dir DIR]
#
#   --users N        rows of the example table (1000000)
#   --keep           leaves everything running at the end and says how to stop it
#   --port P         where runbookd listens on 127.0.0.1 (8090, or the next free one)
#   --no-install     takes the packages as they are
#   --build-dir DIR  where to build (build)
#
# Everything it starts lives in one temporary folder and ends with the script.
set -euo pipefail
cd "$(dirname "$0")/.."

users=1000000
keep=no
port=
install=yes
build_dir=build

usage() {
  sed -n '2,12s/^# \{0,1\}//p' deploy/quickstart.sh
}

# --- saying things ---------------------------------------------------------------------------------------

bold='' dim='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi

section() {
  printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}

say() {
  printf '   %s\n' "$*"
}

die() {
  printf '\nquickstart: %s\n' "$1" >&2
  if [[ -n ${2:-} && -s $2 ]]; then
    printf 'the last lines of %s:\n' "$2" >&2
    tail -n 15 "$2" | sed 's/^/  | /' >&2
    # The folder goes away with us; what explains the failure must not.
    local saved=${TMPDIR:-/tmp}/runbookd-quickstart-${2##*/}
    cp "$2" "$saved" && printf 'the whole log: %s\n' "$saved" >&2
  fi
  exit 1
}

# --- options ---------------------------------------------------------------------------------------------

is_number() {
  [[ $1 =~ ^[1-9][0-9]*$ ]]
}

while [[ $# -gt 0 ]]; do
  case $1 in
    --users) users=${2:-} && shift ;;
    --port) port=${2:-} && shift ;;
    --build-dir) build_dir=${2:-} && shift ;;
    --keep) keep=yes ;;
    --no-install) install=no ;;
    -h | --help) usage && exit 0 ;;
    *) die "does not know '$1'; try: deploy/quickstart.sh --help" ;;
  esac
  shift || die "the last option wants a value; try: deploy/quickstart.sh --help"
done
is_number "$users" || die "--users wants a number of rows, not '$users'"
[[ -z $port ]] || is_number "$port" || die "--port wants a port number, not '$port'"
[[ -n $build_dir ]] || die "--build-dir wants a folder"

# --- what was started, and how it ends -------------------------------------------------------------------

work=
load_pid=
daemon_pid=
events_pid=
readonly pg_bin=/usr/lib/postgresql/15/bin

# PostgreSQL refuses to run as root, so root lends it the package's own user.
as_server() {
  if [[ $EUID -eq 0 ]]; then
    (cd "$work/pg" && setpriv --reuid "$server_user" --regid "$(id -g "$server_user")" --clear-groups \
      env HOME="$work/pg" "$@")
  else
    "$@"
  fi
}

stop_process() {
  [[ -n $1 ]] && kill "$1" 2>/dev/null || return 0
  for _ in {1..100}; do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

clean_up() {
  trap '' INT TERM
  stop_process "$events_pid"
  stop_process "$load_pid"
  stop_process "$daemon_pid"
  if [[ -n $work && -e $work/pg/data/postmaster.pid ]]; then
    as_server "$pg_bin/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1 || true
  fi
  [[ -z $work ]] || rm -rf "$work"
}

write_stop_script() {
  local stop_server="'$pg_bin/pg_ctl' -D '$work/pg/data' -m immediate stop"
  [[ $EUID -ne 0 ]] || stop_server="setpriv --reuid $server_user --regid $(id -g "$server_user") --clear-groups $stop_server"
  cat >"$work/stop.sh" <<STOP
#!/bin/sh
# Ends what quickstart.sh --keep left running, and removes its folder.
kill $load_pid $daemon_pid
cd / && $stop_server >/dev/null
rm -rf '$work'
STOP
  chmod +x "$work/stop.sh"
}

# --- stages ----------------------------------------------------------------------------------------------

install_packages() {
  section 'Packages'
  deploy/install-packages.sh build || die "the packages could not be installed (apt's messages are above)"
}

build() {
  section 'Build'
  local log choice=()
  log=$(mktemp "${TMPDIR:-/tmp}/runbookd-build.XXXXXX")
  # somebody's own build stays as it was configured
  [[ -e $build_dir/CMakeCache.txt ]] || choice=(-DRUNBOOKD_TESTS=OFF)
  cmake --preset release -B "$build_dir" "${choice[@]}" >"$log" 2>&1 || die "cmake could not configure $build_dir" "$log"
  say "compiling into $build_dir; the first time takes a few minutes"
  if [[ -t 1 ]]; then
    cmake --build "$build_dir" --target runbookd runbookctl runbookd-demo-load 2>&1 | tee -a "$log" |
      while IFS= read -r line; do printf '\r\e[K   %.100s' "$line"; done || die "the build failed" "$log"
    printf '\r\e[K'
  else
    cmake --build "$build_dir" --target runbookd runbookctl runbookd-demo-load >>"$log" 2>&1 ||
      die "the build failed" "$log"
  fi
  rm -f "$log"
  say "$("$build_dir/bin/runbookd" --version) is in $build_dir/bin"
}

make_work_folder() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/runbookd-demo.XXXXXX")
  [[ ${#work} -le 80 ]] || die "the path $work is too long for a Unix socket; try: TMPDIR=/tmp $0"
  chmod 711 "$work"
  mkdir -m 700 "$work/pg"
  if [[ $EUID -eq 0 ]]; then
    server_user=postgres
    id -u postgres >/dev/null 2>&1 || server_user=nobody
    chown "$server_user" "$work/pg"
  fi
  local needed=$((users * 2 / 1024 + 300)) free
  free=$(df --output=avail -m "$work" | tail -n 1)
  [[ $free -ge $needed ]] || die "$users users need about $needed MiB in ${TMPDIR:-/tmp} but only $free are free;
try: TMPDIR=/a/larger/folder $0, or fewer --users"
}

start_postgres() {
  section "PostgreSQL 15 in $work"
  local log=$work/postgres.log
  as_server "$pg_bin/initdb" --pgdata "$work/pg/data" --username postgres --auth trust --encoding UTF8 \
    --locale C.UTF-8 >"$log" 2>&1 || die "initdb failed" "$log"
  cat >>"$work/pg/data/postgresql.conf" <<'CONF'
listen_addresses = ''
max_wal_size = 4GB
shared_buffers = 256MB
log_lock_waits = on
CONF
  as_server "$pg_bin/pg_ctl" -D "$work/pg/data" -l "$work/pg/server.log" -w -t 60 \
    -o "-k $work/pg" start >>"$log" 2>&1 || die "PostgreSQL did not start" "$work/pg/server.log"
  # A Unix socket in a folder that nobody else can enter; no TCP.
  psql_as postgres -d postgres -qc 'CREATE ROLE demo LOGIN' -qc 'GRANT pg_monitor TO demo' \
    -qc 'CREATE DATABASE demo OWNER demo' || die "the example database could not be created" "$work/pg/server.log"
}

psql_as() {
  "$pg_bin/psql" -X -h "$work/pg" -U "$1" -v ON_ERROR_STOP=1 "${@:2}"
}

load_data() {
  local begin=$SECONDS
  psql_as demo -d demo -q -v users="$users" -f deploy/demo/schema.sql -f deploy/demo/data.sql ||
    die "the example data could not be loaded" "$work/pg/server.log"
  say "organisations, accounts and $users users loaded in $((SECONDS - begin)) s"
}

deployed_version() {
  jq -r .app_version "$work/load.json" 2>/dev/null || true
}

# The application follows the file; a deployment is done when its last connection has.
deploy_application() {
  echo "$1" >"$work/app-version"
  for _ in {1..300}; do
    [[ $(deployed_version) == "$1" ]] && say "application $1 is deployed" && return
    sleep 0.1
  done
  die "application $1 was not deployed within 30 s" "$work/load.log"
}

start_load() {
  section 'Application load'
  echo v1 >"$work/app-version"
  setsid "$build_dir/bin/runbookd-demo-load" \
    --dsn "host=$work/pg dbname=demo user=demo application_name=demo-app" \
    --app-file "$work/app-version" --status-file "$work/load.json" >"$work/load.log" 2>&1 </dev/null &
  load_pid=$!
  disown "$load_pid"
  deploy_application v1
  say 'four connections, 200 transactions a second: reads, updates, and now and then a new user'
}

is_taken() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

choose_port() {
  if [[ -n $port ]]; then
    ! is_taken "$port" || die "port $port of 127.0.0.1 is taken; try another --port, or none"
    return
  fi
  port=8090
  while is_taken "$port"; do
    port=$((port + 1))
  done
}

write_settings() {
  cat >"$work/runbookd.yaml" <<YAML
listen: [127.0.0.1:$port, "unix:$work/runbookd.sock"]
store:
  path: $work/runbookd.db
targets:
  demo:
    description: the example database
    dsn: host=$work/pg dbname=demo user=demo
YAML
}

start_daemon() {
  section 'runbookd'
  choose_port
  write_settings
  setsid "$build_dir/bin/runbookd" --config "$work/runbookd.yaml" >"$work/runbookd.log" 2>&1 </dev/null &
  daemon_pid=$!
  disown "$daemon_pid"
  for _ in {1..150}; do
    kill -0 "$daemon_pid" 2>/dev/null || die "runbookd ended at once" "$work/runbookd.log"
    ctl -q run list >/dev/null 2>&1 && break
    sleep 0.1
  done
  ctl -q run list >/dev/null || die "runbookd does not answer on 127.0.0.1:$port" "$work/runbookd.log"
  say "listening on http://127.0.0.1:$port"
}

# --- the run ---------------------------------------------------------------------------------------------

ctl() {
  "$build_dir/bin/runbookctl" --addr "http://127.0.0.1:$port" "$@"
}

# Shows the command before it runs, so that it can be tried by hand afterwards.
show_ctl() {
  local word words=
  for word in "$@"; do
    [[ $word != *' '* ]] || word="'$word'"
    words+=" $word"
  done
  printf '\n%s$ runbookctl%s%s\n' "$dim" "$words" "$plain"
  ctl "$@" || die "runbookctl $1 failed" "$work/runbookd.log"
}

snapshot() {
  ctl -q run show "$run" -o json
}

# Which version a manual step asks for, and which one its way back brings again.
version_for() {
  case "$1:$2" in
    forward:*dual*) echo v2 ;;
    backward:*dual*) echo v1 ;;
    forward:*) echo v3 ;;
    backward:*) echo v2 ;;
  esac
}

do_manual_step() {
  local step=$1 direction=$2 version
  version=$(version_for "$direction" "$step")
  say ''
  say "the run asks for a person: $step"
  deploy_application "$version"
  show_ctl confirm "$run" "$step" --reason "application $version is deployed on all connections" --no-wait
}

# Does what a person would do for what the run waits for. Ends with 1 when only time helps.
answer() {
  local document=$1 kind phase step direction
  IFS=$'\t' read -r kind phase step direction < <(jq -r '([.waiting_on[] | select(.kind != "timer")] + [{}])[0] as $w |
    [$w.kind // "-", $w.phase // "-", $w.step // "-", .direction] | @tsv' <<<"$document")
  case $kind in
    manual) do_manual_step "$phase/${step##*/}" "$direction" ;;
    approval) show_ctl approve "$run" --phase "$phase" --actor dba --reason 'the figures look good' --no-wait ;;
    advance) show_ctl advance "$run" --to "$phase" --confirm "$phase" --yes --no-wait ;;
    *) return 1 ;;
  esac
}

# A terminal gets the live view; a pipe gets one line per event, from the follower that show_events started,
# and now and then how far a backfill is.
follow() {
  if [[ -t 1 ]]; then
    ctl watch "$run" --until settled || true
    return
  fi
  ctl -q watch "$run" --until settled --timeout 5s >/dev/null 2>&1 || true
  sleep 0.3
  snapshot | jq -r '(.live // {}).backfill // empty |
    "          backfill: \(.rows_scanned) of \(.rows_total) rows, \(.rows_per_second | round) a second"' || true
}

# The stream ends with the run and is asked for anew when the run is taken back, without the $1 events told before.
show_events() {
  [[ ! -t 1 ]] || return 0
  local told=${1:-}
  "$build_dir/bin/runbookctl" --addr "http://127.0.0.1:$port" events "$run" --follow \
    > >(sed -u "${told:+1,${told}d}") &
  events_pid=$!
  disown "$events_pid"
}

# Follows the run to the wished state, answering for the people on the way.
carry_until() {
  local wished=$1 document state told=
  while true; do
    follow
    document=$(snapshot) || die "the run cannot be read any more" "$work/runbookd.log"
    state=$(jq -r .state <<<"$document")
    [[ $state != "$wished" ]] || return 0
    case $state in
      running | pausing) continue ;;
      waiting) ;;
      *) die "the run is $state: $(jq -r .state_message <<<"$document")" "$work/runbookd.log" ;;
    esac
    while ! answer "$document"; do
      [[ $told == "$state" ]] || say "$(jq -r '[.waiting_on[].message] | join("; ")' <<<"$document")"
      told=$state
      sleep 0.5
      document=$(snapshot)
      [[ $(jq -r .state <<<"$document") == waiting ]] || break
    done
    told=
  done
}

forward() {
  section 'Forward: expand, backfill, enforce, contract'
  show_ctl run create --plan-file "$plan" --target demo --note quickstart
  run=$(ctl -q run list --limit 1 -o json | jq -r '.runs[0].run')
  show_events
  show_ctl start "$run" --no-wait
  carry_until succeeded
}

back() {
  section 'Back: the last two phases are undone'
  local told
  told=$(ctl events "$run" | wc -l)
  show_ctl rollback "$run" --to enforce --yes --no-wait
  show_events "$told"
  carry_until paused
}

results() {
  section 'Where the example stands now'
  psql_as demo -d demo -c '\d users'
  [[ -t 1 ]] || ctl status "$run" || true  # on a terminal the live view still shows it
  section 'What the application noticed'
  jq -r '"   \(.transactions) transactions, \(.errors) errors\(if .errors > 0 then ": \(.errors_by_sqlstate) \(.last_error)" else "" end)",
    "   longest wait \(.longest_ms) ms (\(.longest_kind), \(.longest_at)); half took less than \(.p50_ms) ms, 99 of 100 less than \(.p99_ms) ms"' \
    "$work/load.json"
}

where_next() {
  local address="--addr http://127.0.0.1:$port"
  section 'Where to look next'
  if [[ $keep == no ]]; then
    say 'with --keep everything stays up to be looked at'
    say 'README.md explains the plan, the verbs and the promises'
    return
  fi
  say "API and console   http://127.0.0.1:$port"
  say "the run           $build_dir/bin/runbookctl $address status $run"
  say "its history       $build_dir/bin/runbookctl $address events $run"
  say "go on forward     $build_dir/bin/runbookctl $address resume $run"
  say "the database      $pg_bin/psql -h $work/pg -U demo demo"
  say "logs, settings    $work"
  say "stop all of it    $work/stop.sh"
}

readonly plan=config/plans/users-org-id.demo.yaml
server_user=$(id -un)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[[ -r $plan ]] || die "the example plan $plan is missing"
[[ $install == no ]] || install_packages
build
make_work_folder
start_postgres
load_data
start_load
start_daemon
forward
back
results
where_next
if [[ $keep == yes ]]; then
  write_stop_script
  stop_process "$events_pid"
  trap - EXIT
fi
