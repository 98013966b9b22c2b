#!/usr/bin/env bash
# Installs the packages of /packages as an administrator would and tries what they promise. It changes the system
# that it runs on, so it runs in one that is thrown away: tests/bare-debian.sh packages
set -euo pipefail

readonly settings=/etc/runbookd/runbookd.yaml store=/var/lib/runbookd/runbookd.db
readonly unit=/lib/systemd/system/runbookd.service

fail() {
  printf 'try-packages: FAILED: %s\n' "$1" >&2
  exit 1
}

# expect WHAT WANTED GOT
expect() {
  [[ $2 == "$3" ]] || fail "$1: expected '$2', got '$3'"
  printf 'try-packages: %s\n' "$1"
}

quiet() {
  local log
  log=$("$@" 2>&1) || fail "$* ended with $?: $log"
}

[[ -d /packages ]] || fail "there is no /packages; start this by tests/bare-debian.sh packages"
export DEBIAN_FRONTEND=noninteractive
quiet apt-get update
quiet apt-get install --yes --no-install-recommends /packages/*.deb man-db procps

expect 'the settings are for root and the daemon' 'root:runbookd 640' "$(stat -c '%U:%G %a' $settings)"
expect 'so is their folder' 'root:runbookd 750' "$(stat -c '%U:%G %a' /etc/runbookd)"
expect 'the daemon has a user without a shell' /usr/sbin/nologin "$(getent passwd runbookd | cut -d: -f7)"
quiet runbookd --check-config
quiet systemd-analyze verify --man=no $unit
quiet systemd-analyze security --offline=true --threshold=20 $unit
for page in 'runbookctl.1' 'runbookd-audit-verify.1' 'runbookd.8' 'runbookd.conf.5' 'runbookd-plan.5'; do
  [[ -s /usr/share/man/man${page##*.}/$page.gz ]] || fail "there is no page $page"
done
for file in bash-completion/completions/runbookctl zsh/vendor-completions/_runbookctl \
  fish/vendor_completions.d/runbookctl.fish runbookd/prometheus/alerts.yml runbookd/grafana/runbookd.json; do
  [[ -s /usr/share/$file ]] || fail "there is no /usr/share/$file"
done
! grep -aq RUNBOOKD_CRASH /usr/bin/runbookd || fail 'it can be told to crash: it was built with the hooks of the tests'

# as the unit would: its folders, its user
install -d -o runbookd -g runbookd -m 700 /var/lib/runbookd
install -d -o runbookd -g runbookd -m 755 /run/runbookd
setpriv --reuid runbookd --regid runbookd --init-groups --inh-caps=-all --no-new-privs \
  runbookd --config $settings &
readonly daemon=$!
for _ in $(seq 100); do
  runbookctl status >/dev/null 2>&1 && break
  sleep 0.1
done
quiet runbookctl status
quiet runbookctl --addr unix:/run/runbookd/runbookd.sock status
expect 'the store is nobody else'"'"'s' 'runbookd 600' "$(stat -c '%U %a' $store)"

echo '# a change of the administrator' >>$settings
quiet dpkg --install /packages/*.deb
expect 'an upgrade keeps what was changed' 1 "$(grep -c 'a change of the administrator' $settings)"
kill -0 $daemon || fail 'an upgrade ended the daemon'
quiet runbookctl status
kill $daemon
wait $daemon || fail 'the daemon did not end in order'

quiet apt-get remove --yes runbookd runbookctl
[[ -e $settings ]] || fail 'a removal took the settings'
quiet apt-get purge --yes runbookd
[[ ! -e $settings ]] || fail 'a purge left the settings'
expect 'a purge keeps the record of what was done' 'there' "$([[ -s $store ]] && echo there)"
quiet apt-get install --yes --no-install-recommends /packages/*.deb
quiet runbookd store check
echo 'try-packages: all is well'
