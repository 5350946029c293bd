#!/usr/bin/env bash
# A hook without `env` gets the whole environment of the OCI runtime.
#
# Versions: crun 1.8.1-1+deb12u1, runc 1.1.5+ds1-1+deb12u1, busybox-static 1:1.35.0-4+deb12u1+b1
# (Debian 12). Needs root.
#
# A good guess: runtime-spec 1.0.2 says that `env` of a hook is an array "with the same semantics as
# IEEE Std 1003.1-2008's environ", and the container's own process without `env` gets an empty one,
# so a hook without `env` gets an empty environment too. It is not so: both runtimes pass on their
# own, with whatever the engine or the CI job that called them has in it. `"env": []` is empty.
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

hook() { # a hook that notes its environment, with these further fields
  printf '{"path":"/bin/sh","args":["sh","-c","/usr/bin/env > %s"]%s}' "$work/seen" "$1"
}
config() {
  cat > config.json <<JSON
{ "ociVersion": "1.0.2", "root": { "path": "rootfs" },
  "process": { "args": ["/bin/busybox", "true"], "cwd": "/", "user": { "uid": 0, "gid": 0 } },
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "hooks": { "createRuntime": [$(hook "$1")] },
  "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }] } }
JSON
}
# A mount namespace with cgroup2 alone, as crun refuses hosts with both versions.
run() {
  unshare --mount sh -euc 'mount -t cgroup2 none /sys/fs/cgroup; exec "$@"' sh "$@" </dev/null
}
tried() { # the runtime's name, its command
  local name=$1 out=; shift
  for env in '' ',"env":[]'; do
    config "$env"; rm -f seen
    TOKEN_OF_THE_JOB=soup run "$@" run "finding-$$" >/dev/null
    out+="$(grep -c TOKEN_OF_THE_JOB=soup seen || true) "
  done
  echo "$name: the caller's variable in a hook without env: ${out% *}"
  [ "$out" = "1 0 " ] || { echo "$name has changed: $out"; exit 1; }
}
tried crun tree/usr/bin/crun --cgroup-manager=disabled --root "$work/crun"
tried runc tree/usr/sbin/runc --root "$work/runc"
echo "holds: without env a hook has the runtime's environment, with an empty list it has none"
