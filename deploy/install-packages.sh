#!/usr/bin/env bash
# Installs the Debian 12 packages that runbookd needs, and only those that are missing.
#
#   deploy/install-packages.sh [--check] [SET...]
#
#   build   compiler, libraries, npm and PostgreSQL 15: all that deploy/quickstart.sh needs (the default)
#   test    build, and what tests/run.sh adds: python3, clang-format-19, pgbouncer, strace, chromium,
#           prometheus (for promtool), fish, zsh, systemd
#   package lintian, which looks at what cmake --workflow --preset package has made
#   tidy    clang-tidy-19
#   fuzz    build, and what cmake --preset fuzz needs: clang-14 with libFuzzer
#
# --check only says what is missing and ends with 1 if anything is.
set -euo pipefail

readonly build_set=(
  g++ cmake ninja-build ccache mold pkg-config
  libpqxx-dev libpq-dev libboost1.81-dev nlohmann-json3-dev libspdlog-dev libsqlite3-dev
  doctest-dev libpg-query-dev libyaml-cpp-dev libcmark-gfm-dev libcmark-gfm-extensions-dev
  libexpected-dev librapidcheck-dev libcli11-dev prometheus-cpp-dev libsystemd-dev
  libssl-dev postgresql-15 postgresql-client-15 jq ca-certificates tzdata
)
readonly test_set=(python3 clang-format-19 pgbouncer strace chromium prometheus fish zsh systemd)
readonly package_set=(lintian)
readonly tidy_set=(clang-tidy-19)
readonly fuzz_set=(clang-14 libclang-rt-14-dev)

die() {
  printf 'install-packages: %s\n' "$1" >&2
  exit 1
}

usage() {
  sed -n '2,13s/^# \{0,1\}//p' "$0"
}

is_installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing_of() {
  local package
  for package in "$@"; do
    is_installed "$package" || printf '%s\n' "$package"
  done
}

# npm also comes with other packagings of Node.js, so the command is what counts.
missing_npm() {
  command -v npm >/dev/null || printf '%s\n' npm
}

missing_packages() {
  local set
  for set in "$@"; do
    case $set in
      build) missing_of "${build_set[@]}" && missing_npm ;;
      test) missing_of "${build_set[@]}" "${test_set[@]}" && missing_npm ;;
      package) missing_of "${package_set[@]}" ;;
      tidy) missing_of "${tidy_set[@]}" ;;
      fuzz) missing_of "${build_set[@]}" "${fuzz_set[@]}" ;;
      *) die "there is no package set '$set'; the sets are build, test, package, tidy and fuzz" ;;
    esac
  done
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "packages are missing (${missing[*]}) and neither root nor sudo is at hand.
Try, as root: apt-get install --no-install-recommends ${missing[*]}"
  fi
}

apt_get() {
  # C.UTF-8 is in every Debian; a locale that is not installed makes perl warn about each package.
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

apt_knows() {
  LC_ALL=C apt-cache show --no-all-versions "$@" >/dev/null 2>&1
}

install_missing() {
  apt_get install --yes --quiet --no-install-recommends "${missing[@]}"
}

# A server package creates and starts a cluster "main" of its own unless it is told not to. Ours are
# throw-away ones, so on a machine without PostgreSQL we say so for as long as the installation takes.
readonly no_cluster=/etc/postgresql-common/createcluster.d/runbookd-install.conf
keep_clusters_away() {
  is_installed postgresql-common && return
  as_root mkdir -p "${no_cluster%/*}"
  trap 'as_root rm -f "$no_cluster"' EXIT
  printf 'create_main_cluster = false\n' | as_root tee "$no_cluster" >/dev/null
}

check_only=no
sets=()
for argument in "$@"; do
  case $argument in
    --check) check_only=yes ;;
    -h | --help) usage && exit 0 ;;
    *) sets+=("$argument") ;;
  esac
done
[[ ${#sets[@]} -gt 0 ]] || sets=(build)

command -v apt-get >/dev/null || die "apt-get was not found; this script is for Debian 12"
found=$(missing_packages "${sets[@]}")
mapfile -t missing < <(printf '%s' "$found" | sort -u)

if [[ ${#missing[@]} -eq 0 ]]; then
  echo "packages: all of '${sets[*]}' are installed"
  exit 0
fi
if [[ $check_only == yes ]]; then
  echo "packages missing: ${missing[*]}"
  exit 1
fi

echo "packages to install: ${missing[*]}"
fresh=no
if ! apt_knows "${missing[@]}"; then
  apt_get update --quiet
  fresh=yes
fi
keep_clusters_away
# Of Prometheus the tests need promtool; its server is nobody's wish.
keep_prometheus_away() {
  [[ " ${missing[*]} " == *' prometheus '* && -d /run/systemd/system ]] || return 0
  as_root systemctl disable --quiet --now prometheus.service
}
if ! install_missing; then
  # Lists that are a few weeks old name versions that the mirror no longer has.
  [[ $fresh == no ]] || die "apt-get could not install: ${missing[*]} (its messages are above)"
  apt_get update --quiet
  install_missing || die "apt-get could not install: ${missing[*]} (its messages are above)"
fi
keep_prometheus_away
