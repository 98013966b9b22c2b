#!/usr/bin/env bash
# Installs what the tests need, builds everything and runs all tests.
#
#   tests/run.sh [--no-install] [--build-dir DIR] [CTEST-ARGUMENT...]
#
# What follows is handed to ctest: tests/run.sh -L unit runs the tests with that label.
set -euo pipefail
cd "$(dirname "$0")/.."

install=yes
build_dir=build
while [[ $# -gt 0 ]]; do
  case $1 in
    --no-install) install=no && shift ;;
    --build-dir) build_dir=${2:?--build-dir wants a directory} && shift 2 ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) break ;;
  esac
done

section() {
  printf '\n== %s (%d s)\n' "$1" "$SECONDS"
}

if [[ $install == yes ]]; then
  section 'packages'
  deploy/install-packages.sh test
fi

section 'PostgreSQL 13 and 18 beside the packaged 15'
servers=$(deploy/fetch-postgres.sh --exports 13 18)
eval "$servers"
printf '%s\n' "$servers"
export RUNBOOKD_PG_ALL=1  # a version that is missing here is a failure, not a test left out

section 'build'
cmake --preset release -B "$build_dir" -DRUNBOOKD_TESTS=ON
cmake --build "$build_dir"

section 'tests'
status=0
ctest --test-dir "$build_dir" --output-on-failure --parallel 3 --timeout 900 "$@" || status=$?
[[ $status -eq 0 ]] || printf 'tests/run.sh: ctest ended with %d; the whole log is %s\n' \
  "$status" "$build_dir/Testing/Temporary/LastTest.log" >&2
section 'done'
exit "$status"
