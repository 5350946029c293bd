#!/usr/bin/env bash
# crun hands over the sockets of socket activation, but not how many they are.
#
# Versions: crun 1.8.1-1+deb12u1, runc 1.1.5+ds1-1+deb12u1, busybox-static 1:1.35.0-4+deb12u1+b1
# (Debian 12). Needs root.
#
# A good guess: a runtime that is started by socket activation (sd_listen_fds(3): LISTEN_FDS and
# LISTEN_PID) passes the descriptors on and sets both variables for the container's process, as
# their only use is together. crun passes descriptor 3 and sets LISTEN_PID=1 without LISTEN_FDS, so
# that sd_listen_fds() finds no socket. runc sets both.
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
seen='[ -e /proc/self/fd/3 ] && echo \"descriptor 3, LISTEN_FDS=$LISTEN_FDS LISTEN_PID=$LISTEN_PID\"'
cat > config.json <<JSON
{ "ociVersion": "1.0.2", "root": { "path": "rootfs" },
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "process": { "args": ["/bin/busybox", "sh", "-c", "$seen"], "cwd": "/",
    "user": { "uid": 0, "gid": 0 } },
  "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }] } }
JSON
# A mount namespace with cgroup2 alone, as crun refuses hosts with both versions; LISTEN_PID is the
# runtime's own pid, as the protocol has it.
activated() {
  unshare --mount sh -euc 'mount -t cgroup2 none /sys/fs/cgroup
    export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@" 3</dev/zero' sh "$@" run "finding-$$" </dev/null
}
of_crun=$(activated tree/usr/bin/crun --cgroup-manager=disabled --root "$work/crun" 2>&1)
of_runc=$(activated tree/usr/sbin/runc --root "$work/runc" 2>&1)
echo "crun: $of_crun"; echo "runc: $of_runc"
[ "$of_crun" = "descriptor 3, LISTEN_FDS= LISTEN_PID=1" ] || { echo "crun has changed"; exit 1; }
[ "$of_runc" = "descriptor 3, LISTEN_FDS=1 LISTEN_PID=1" ] || { echo "runc has changed"; exit 1; }
echo "holds: crun keeps the number of the sockets to itself"
