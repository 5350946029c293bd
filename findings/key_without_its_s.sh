#!/usr/bin/env bash
# podman reads another key of containers.conf than its manual page names.
#
# Versions: podman 4.3.1+ds1-8+deb12u1+b3, golang-github-containers-common 0.50.1+ds1-4 (Debian 12), which
# has containers.conf(5). Needs root, for a mount namespace; no container is started.
#
# A good guess: a runtime of one's own that makes no control groups is told to podman by the key of the
# manual page, runtime_supports_nocgroups, like its neighbours runtime_supports_json and
# runtime_supports_kvm; and a key that podman does not know is an error, or at least a warning.
# No: the key that is read has no "s" at its end. The documented one is taken in silence, and
# "--cgroups=disabled" goes on to be refused.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"; mkdir -p debs tree root/bin
apt-get install --reinstall --download-only -qq -y --no-install-recommends \
  -o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1 \
  podman=4.3.1+ds1-8+deb12u1+b3 golang-github-containers-common=0.50.1+ds1-4 \
  conmon crun libgpgme11 libassuan0 libdevmapper1.02.1 libsubid4 libyajl2 >/dev/null 2>&1
for deb in debs/*.deb; do dpkg-deb -x "$deb" tree; done
export LD_LIBRARY_PATH="$work/tree/usr/lib/$(uname -m)-linux-gnu"
cp /bin/true root/bin/

manual=$(zcat tree/usr/share/man/man5/containers.conf.5.gz | grep -o 'runtime_supports_nocgroup[s]*' | sort -u)

create() { # the key
  printf '%s\n' '[engine]' 'events_logger = "file"' 'cgroup_manager = "cgroupfs"' \
    "conmon_path = [\"$work/tree/usr/bin/conmon\"]" "$1 = [\"mine\"]" \
    '[engine.runtimes]' "mine = [\"$work/tree/usr/bin/crun\"]" > conf
  CONTAINERS_CONF="$work/conf" unshare --mount --propagation private \
    sh -c 'mount -t tmpfs none /run && exec "$@"' sh \
    tree/usr/bin/podman --root "$work/$1/root" --runroot "$work/$1/run" --tmpdir "$work/$1/tmp" \
    --storage-driver vfs --runtime mine create --cgroups=disabled --network=none \
    --rootfs "$work/root" /bin/true 2>&1 || true
}
documented=$(create runtime_supports_nocgroups); real=$(create runtime_supports_nocgroup)
echo "in the manual: $manual"
echo "with runtime_supports_nocgroups: $documented"
echo "with runtime_supports_nocgroup: $real"
[[ "$manual" = runtime_supports_nocgroups ]] || { echo "the manual has changed"; exit 1; }
[[ "$documented" =~ "requested OCI runtime mine is not compatible with NoCgroups" ]] \
  || { echo "podman has changed"; exit 1; }
[[ "$real" =~ ^[0-9a-f]{64}$ ]] || { echo "podman has changed: the other key is not read"; exit 1; }
echo "holds: podman reads the key without the manual's last letter"
