#!/usr/bin/env bash
# Two conditions on one argument of a system call are alternatives in an OCI seccomp rule.
#
# Versions: crun 1.8.1-1+deb12u1, runc 1.1.5+ds1-1+deb12u1, busybox-static 1:1.35.0-4+deb12u1+b1
# (Debian 12). Needs root.
#
# A good guess: libseccomp joins the comparisons of a rule by AND, and runtime-spec 1.0.2 has `args`
# as "an array of objects" of one rule, so `mode >= 0o700` and `mode <= 0o700` stop mode 0700 alone.
# Both runtimes make a rule of each condition where two are about the same argument: 0755 and 0500
# are stopped as well. Conditions on different arguments are joined by AND.
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
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs" }],
  "process": { "args": ["/bin/busybox", "sh", "-c",
    "for m in 500 700 755; do /bin/busybox mkdir -m \$m /dev/\$m 2>/dev/null && echo -n \"\$m made \" || echo -n \"\$m stopped \"; done"],
    "cwd": "/", "user": { "uid": 0, "gid": 0 } },
  "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }],
    "seccomp": { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      { "names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [
        { "index": 1, "value": 448, "op": "SCMP_CMP_GE" },
        { "index": 1, "value": 448, "op": "SCMP_CMP_LE" } ] } ] } } }
JSON
# shellcheck disable=SC2086
of_crun=$(run $crun run "finding-$$") of_runc=$(run $runc run "finding-$$")
echo "crun: $of_crun"; echo "runc: $of_runc"
wanted="500 stopped 700 stopped 755 stopped "
[ "$of_crun" = "$wanted" ] || { echo "crun has changed"; exit 1; }
[ "$of_runc" = "$wanted" ] || { echo "runc has changed"; exit 1; }
echo "holds: >= 0700 and <= 0700 stops every mode"
