#!/usr/bin/env bash
# Fetches the npm packages that a folder's package-lock.json names, and prints the node_modules folder they are in.
#
#   deploy/fetch-packages.sh [--dir DIR] FOLDER
#
# npm fetches them from whatever registry it is configured for, checks them against the lock file, and runs none of
# their scripts. They are kept by the lock file's checksum in DIR, by default ~/.cache/runbookd/packages, or for root
# /var/cache/runbookd/packages: the network is needed once, whatever is built and rebuilt afterwards.
set -euo pipefail

die() {
  printf 'fetch-packages: %s\n' "$1" >&2
  exit 1
}

default_dir() {
  if [[ $EUID -eq 0 ]]; then
    echo /var/cache/runbookd/packages
  else
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/runbookd/packages"
  fi
}

dir=$(default_dir)
folder=
while [[ $# -gt 0 ]]; do
  case $1 in
    --dir) dir=${2:?--dir wants a directory} && shift 2 ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) folder=$1 && shift ;;
  esac
done
[[ -f $folder/package-lock.json ]] || die "there is no package-lock.json in '$folder'"
folder=$(cd "$folder" && pwd)

key=$(cat "$folder/package.json" "$folder/package-lock.json" | sha256sum | cut -c1-16)
kept=$dir/$key

if [[ ! -d $kept/node_modules ]]; then
  command -v npm >/dev/null || die "npm is missing; try: deploy/install-packages.sh build"
  echo "fetch-packages: fetching the packages of $folder into $kept" >&2
  mkdir -p "$dir"
  exec 9>"$dir/lock"
  flock 9
  if [[ ! -d $kept/node_modules ]]; then
    work=$(mktemp -d "$dir/fetching.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    cp "$folder"/package.json "$folder"/package-lock.json "$work"
    (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) ||
      die "npm could not fetch the packages: $(cat "$work/npm.log")"
    chmod -R a+rX,u+w "$work"
    rm -rf "$kept"
    mv "$work" "$kept"
  fi
fi
echo "$kept/node_modules"
