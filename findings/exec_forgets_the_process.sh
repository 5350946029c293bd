#!/usr/bin/env bash
# `exec` of a running container is not like its process: each runtime forgets other parts.
#
# Versions: crun 1.8.1-1+deb12u1, runc 1.1.5+ds1-1+deb12u1, busybox-static 1:1.35.0-4+deb12u1+b1
# (Debian 12). Needs root.
#
# A good guess: `exec ID PROGRAM` without options takes what config.json says of the process: its
# user, its working directory, its umask, its no_new_privs, as `docker exec` leads to expect. crun
# runs it as uid 0, in /, without no_new_privs; runc keeps these three, and forgets the umask, as
# crun does too.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"; mkdir -p debs tree rootfs/{bin,dev,proc,sys}
apt-get install --reinstall --download-only -qq -y --no-install-recommends \
  -o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1 \
  crun=1.8.1-1+deb12u1 runc=1.1.5+ds1-1+deb12u1 busybox-static=1:1.35.0-4+deb12u1+b1 >/dev/null 2>&1
for deb in debs/*.deb; do dpkg-deb -x "$deb" tree; done
export LD_LIBRARY_PATH="$work/tree/usr/lib/$(uname -m)-linux-gnu"
cp tree/bin/busybox rootfs/bin/busybox

# A mount namespace with cgroup2 alone, as crun refuses hosts with both versions.
run() {
  unshare --mount sh -euc 'mount -t cgroup2 none /sys/fs/cgroup; exec "$@"' sh "$@" </dev/null
}
crun="tree/usr/bin/crun --cgroup-manager=disabled --root $work/crun"
runc="tree/usr/sbin/runc --root $work/runc"

cat > config.json <<JSON
{ "ociVersion": "1.0.2", "root": { "path": "rootfs" },
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "process": { "args": ["/bin/busybox", "sleep", "60"], "cwd": "/sys", "noNewPrivileges": true,
    "user": { "uid": 1000, "gid": 1000, "umask": 63 } },
  "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }] } }
JSON
seen='set -- $(/bin/busybox grep NoNewPrivs /proc/self/status); echo "uid $(/bin/busybox id -u), cwd $PWD, umask $(umask), no_new_privs $2"'
entered() {
  run "$@" run --detach "finding-$$" >/dev/null 2>&1
  run "$@" exec "finding-$$" /bin/busybox sh -c "$seen"
  run "$@" delete --force "finding-$$" >/dev/null 2>&1
}
# shellcheck disable=SC2086
of_crun=$(entered $crun) of_runc=$(entered $runc)
echo "the process: uid 1000, cwd /sys, umask 0077, no_new_privs 1"
echo "crun exec:   $of_crun"; echo "runc exec:   $of_runc"
[ "$of_crun" = "uid 0, cwd /, umask 0022, no_new_privs 0" ] || { echo "crun has changed"; exit 1; }
[ "$of_runc" = "uid 1000, cwd /sys, umask 0022, no_new_privs 1" ] || { echo "runc has changed"; exit 1; }
echo "holds: neither exec is like the process"
