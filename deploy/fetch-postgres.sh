#!/usr/bin/env bash
# Fetches PostgreSQL servers of other versions than Debian's, for the tests.
#
#   deploy/fetch-postgres.sh [--exports] [--dir DIR] [MAJOR...]
#
# MAJOR is 13 or 18, both when none is named. Prints "MAJOR BIN-DIRECTORY" lines, or with --exports the lines
# that set RUNBOOKD_PG13_BIN and so on:   eval "$(deploy/fetch-postgres.sh --exports)"
#
# The versions and their checksums stand in tests/support/postgres/package-lock.json; npm fetches them from
# whatever registry it is configured for, and runs none of their scripts. They are kept in DIR, by default
# ~/.cache/runbookd/postgres, or for root, whose home others cannot read, /var/cache/runbookd/postgres.
set -euo pipefail

lock_dir=$(cd "$(dirname "$0")/../tests/support/postgres" && pwd)
readonly lock_dir

die() {
  printf 'fetch-postgres: %s\n' "$1" >&2
  exit 1
}

default_dir() {
  if [[ $EUID -eq 0 ]]; then
    echo /var/cache/runbookd/postgres
  else
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/runbookd/postgres"
  fi
}

# The checksum that the lock file demands, which also says whether a kept copy is the one wanted.
integrity_of() {
  sed -n "/\"node_modules\/postgres$1\"/,/}/s/.*\"integrity\": \"\(.*\)\".*/\1/p" "$lock_dir/package-lock.json"
}

is_kept() {
  [[ -x $dir/$1/native/bin/postgres && $(cat "$dir/$1/integrity" 2>/dev/null) == "$(integrity_of "$1")" ]]
}

# A package cannot hold symbolic links, so it lists those that its libraries need.
make_library_links() {
  local source target
  while IFS=' ' read -r source target; do
    [[ $source =~ ^native/lib/[A-Za-z0-9._+-]+$ && $target =~ ^native/lib/[A-Za-z0-9._+-]+$ ]] ||
      die "the package lists a link that leaves its own folder: $target -> $source"
    ln -sf "${source##*/}" "$1/$target"
  done < <(grep -o '"source":"[^"]*","target":"[^"]*"' "$1/native/pg-symlinks.json" |
    sed 's/"source":"\(.*\)","target":"\(.*\)"/\1 \2/')
}

download() {
  work=$(mktemp -d "$dir/fetching.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cp "$lock_dir"/package.json "$lock_dir"/package-lock.json "$work"
  (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) ||
    die "npm could not fetch the servers: $(cat "$work/npm.log")"
}

keep() {
  local package=$work/node_modules/postgres$1
  make_library_links "$package"
  integrity_of "$1" >"$package/integrity"
  chmod -R a+rX,u+w "$package"
  rm -rf "${dir:?}/$1"
  mv "$package" "$dir/$1"
}

exports=no
dir=$(default_dir)
majors=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --exports) exports=yes && shift ;;
    --dir) dir=${2:?--dir wants a directory} && shift 2 ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) majors+=("$1") && shift ;;
  esac
done
[[ ${#majors[@]} -gt 0 ]] || majors=(13 18)

missing=()
for major in "${majors[@]}"; do
  [[ -n $(integrity_of "$major") ]] || die "there is no PostgreSQL $major in $lock_dir/package-lock.json"
  is_kept "$major" || missing+=("$major")
done

if [[ ${#missing[@]} -gt 0 ]]; then
  [[ $(uname -m) == x86_64 ]] || die "these servers exist for x86_64 only, this machine is $(uname -m)"
  command -v npm >/dev/null || die "npm is missing; try: deploy/install-packages.sh test"
  echo "fetch-postgres: fetching PostgreSQL ${missing[*]} into $dir" >&2
  mkdir -p "$dir"
  exec 9>"$dir/lock"
  flock 9
  download
  for major in "${missing[@]}"; do
    keep "$major"
  done
fi

for major in "${majors[@]}"; do
  bin=$dir/$major/native/bin
  if [[ $exports == yes ]]; then
    printf 'export RUNBOOKD_PG%s_BIN=%q\n' "$major" "$bin"
  else
    printf '%s %s\n' "$major" "$bin"
  fi
done
