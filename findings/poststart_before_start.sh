#!/usr/bin/env bash
# runc runs the poststart hooks at the end of `create`, before the program has started.
#
# Versions: crun 1.8.1-1+deb12u1, runc 1.1.5+ds1-1+deb12u1, busybox-static 1:1.35.0-4+deb12u1+b1
# (Debian 12). Needs root.
#
# A good guess, and the words of runtime-spec 1.0.2: poststart is called "after the user-specified
# process is executed but before the start operation returns". So `create` alone runs none, and a
# hook that waits for the program's socket works. With runc such a hook waits for ever: the program
# starts only with `runc start`. crun does as the specification has it.
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
  "process": { "args": ["/bin/busybox", "true"], "cwd": "/", "user": { "uid": 0, "gid": 0 } },
  "hooks": { "poststart": [{ "path": "/bin/sh", "args": ["sh", "-c", "echo poststart >> $work/log"] }] },
  "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }] } }
JSON
order() { # the order in which create, the hook and start end
  : > log
  run "$@" create "finding-$$" >/dev/null 2>&1; echo created >> log
  run "$@" start "finding-$$" >/dev/null 2>&1; echo started >> log
  sleep 0.3; run "$@" delete --force "finding-$$" >/dev/null 2>&1
  tr '\n' ' ' < log
}
# shellcheck disable=SC2086
of_crun=$(order $crun) of_runc=$(order $runc)
echo "crun: $of_crun"; echo "runc: $of_runc"
[ "$of_crun" = "created poststart started " ] || { echo "crun has changed"; exit 1; }
[ "$of_runc" = "poststart created started " ] || { echo "runc has changed"; exit 1; }
echo "holds: runc's poststart comes before the start"
