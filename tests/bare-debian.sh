#!/usr/bin/env bash
# Tries a README command on a Debian 12 that holds nothing yet: a fresh debootstrap, thrown away afterwards.
#
#   tests/bare-debian.sh [--working-tree] [--as-user] [--keep] quickstart|tests|packages [ARGUMENT...]
#
#   packages        installs what cmake --workflow --preset package made (build-package/*.deb)
#   --working-tree  also takes what is not committed yet; otherwise the tree of HEAD is tried
#   --as-user       runs the command as an ordinary user who may use sudo, instead of as root
#   --keep          leaves the folder of that Debian and says where it is
#
# Must run as root, with debootstrap. The new Debian gets this machine's apt sources, certificates, name
# resolution, proxy settings and npm registry. Its processes end with the command.
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
  printf 'bare-debian: %s\n' "$1" >&2
  exit 1
}

tree=HEAD
as_user=no
keep=no
while [[ ${1:-} == --* ]]; do
  case $1 in
    --working-tree) tree=working ;;
    --as-user) as_user=yes ;;
    --keep) keep=yes ;;
    --help) sed -n '2,12s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) die "does not know $1; try: tests/bare-debian.sh --help" ;;
  esac
  shift
done
case ${1:-} in
  quickstart) readme_command=./deploy/quickstart.sh ;;
  tests) readme_command=./tests/run.sh ;;
  packages) readme_command=./tests/deploy/try-packages.sh ;;
  *) die "say what to try: quickstart, tests or packages" ;;
esac
packages=()
if [[ $1 == packages ]]; then
  [[ $as_user == no ]] || die "packages are installed by root"
  packages=(build-package/*.deb)
  [[ -e ${packages[0]} ]] || die "there are no packages; try: cmake --workflow --preset package"
fi
shift
[[ $EUID -eq 0 ]] || die "must run as root, for debootstrap and chroot"
command -v debootstrap >/dev/null || die "debootstrap is missing; try: apt-get install debootstrap"

say() {
  printf 'bare-debian: %s (%d s)\n' "$1" "$SECONDS"
}

mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' | head -n 1
}

copy_if_there() {
  local path
  for path in "$@"; do
    [[ -e $path ]] || continue
    mkdir -p "$root${path%/*}"
    cp -aL "$path" "$root${path%/*}/"
  done
}

# Package managers of other suppliers and their hooks stay out; what concerns reaching the mirror comes along.
copy_machine_settings() {
  rm -f "$root/etc/apt/sources.list"
  copy_if_there /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources /etc/apt/auth.conf \
    /etc/apt/auth.conf.d /etc/apt/keyrings /etc/apt/apt.conf /etc/apt/apt.conf.d/*proxy* \
    /etc/apt/apt.conf.d/99* /etc/hosts /etc/resolv.conf /usr/local/share/ca-certificates
  [[ -s $root/etc/apt/sources.list || -d $root/etc/apt/sources.list.d ]] ||
    die "this machine's apt sources were not found"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/usr/local/share/machine-certificates.pem" 2>/dev/null || true
}

copy_tree() {
  mkdir -p "$root/src"
  if [[ $tree == HEAD ]]; then
    git archive HEAD | tar -x -C "$root/src"
  else
    git ls-files -z --cached --others --exclude-standard |
      tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$root/src"
  fi
}

settings() {
  local name
  echo "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [[ -z ${!name:-} ]] || echo "$name=${!name}"
  done
  [[ ! -e $root/usr/local/share/machine-certificates.pem ]] ||
    echo NODE_EXTRA_CA_CERTS=/usr/local/share/machine-certificates.pem
  command -v npm >/dev/null && echo "npm_config_registry=$(npm config get registry 2>/dev/null)"
}

# Runs in the new Debian, as root.
inside() {
  if [[ $as_user == no ]]; then
    printf 'cd /src && HOME=/root exec %s' "$*"
    return
  fi
  cat <<INSIDE
set -e
apt-get update --quiet >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends sudo >/dev/null
useradd --create-home --shell /bin/bash dev
echo 'dev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/dev
chown -R dev: /src
cd /src && exec setpriv --reuid dev --regid dev --init-groups env HOME=/home/dev USER=dev $*
INSIDE
}

root=$(mktemp -d /var/tmp/bare-debian.XXXXXX)
clean_up() {
  if [[ $keep == yes ]]; then
    say "kept: $root"
  else
    rm -rf --one-file-system "$root"
  fi
}
trap clean_up EXIT

say "making a Debian 12 in $root"
debootstrap --variant=minbase bookworm "$root" "$(mirror)" >"$root.log" 2>&1 ||
  die "debootstrap failed: $(tail -n 5 "$root.log")"
rm -f "$root.log"
chmod 755 "$root"
copy_machine_settings
copy_tree
if [[ ${#packages[@]} -gt 0 ]]; then
  mkdir "$root/packages"
  cp "${packages[@]}" "$root/packages/"
fi

mapfile -t environment < <(settings)
words=$(printf '%q ' "$readme_command" "$@")
say "running $words"
status=0
# The mounts are seen by this command only, and whatever it leaves running ends with it.
unshare --mount --pid --fork --kill-child bash -euc '
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  mount -t tmpfs tmpfs "$1/dev/shm"
  exec chroot "$1" env -i "${@:3}" /bin/bash -c "$2"
' bash "$root" "$(inside "$words")" "${environment[@]}" || status=$?
say "$readme_command ended with $status"
exit "$status"
