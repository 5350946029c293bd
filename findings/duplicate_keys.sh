#!/usr/bin/env bash
# Of a key that config.json has twice, crun takes the first value and runc the last.
#
# Versions: crun 1.8.1-1+deb12u1, runc 1.1.5+ds1-1+deb12u1, busybox-static 1:1.35.0-4+deb12u1+b1
# (Debian 12). Needs root.
#
# A good guess: RFC 8259 leaves it open, and every JSON parser of a popular language (jq, Go, Python,
# JavaScript) takes the last one, so a tool that appends a key to override it works everywhere. With
# crun the first one counts, so one bundle is two containers.
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
  "hostname": "first",
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "process": { "args": ["/bin/busybox", "hostname"], "cwd": "/", "user": { "uid": 0, "gid": 0 } },
  "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }, { "type": "uts" }] },
  "hostname": "last" }
JSON
# shellcheck disable=SC2086
of_crun=$(run $crun run "finding-$$") of_runc=$(run $runc run "finding-$$")
echo "crun: $of_crun"; echo "runc: $of_runc"
[ "$of_crun" = first ] || { echo "crun has changed"; exit 1; }
[ "$of_runc" = last ] || { echo "runc has changed"; exit 1; }
echo "holds: first for crun, last for runc"
