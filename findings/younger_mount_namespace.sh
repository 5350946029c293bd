#!/usr/bin/env bash
# Whether a mount namespace is the younger one depends on the processors on which the two were made.
#
# Versions: Linux 6.18.44; util-linux 2.38.1-5+deb12u3 (Debian 12). Needs root, two processors, and a
# kernel of 6.18 or later; elsewhere it says so, and tests nothing.
#
# A good guess: /proc/PID/ns/mnt of a mount namespace can be bound to a file on a private mount of
# one that was made before it; the kernel refuses (EINVAL) only what could see itself, a namespace
# older than the caller's, and goes by the order in which they were made.
# No: it compares their numbers, which each processor takes from a block of its own since 6.18. Where
# the caller's was made on one processor and the younger one on the other, one direction always works
# and the other never does.
set -euo pipefail
release=$(uname -r); IFS=.- read -r major minor _ <<< "$release"
if (( major * 1000 + minor < 6018 )) || [[ "$(nproc)" -lt 2 ]] || [[ "$(id -u)" != 0 ]]; then
  echo "not tested: Linux $release, $(nproc) processors, uid $(id -u)"; exit 0
fi
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"; mkdir debs tree
apt-get install --reinstall --download-only -qq -y --no-install-recommends \
  -o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1 \
  util-linux=2.38.1-5+deb12u3 >/dev/null 2>&1
for deb in debs/util-linux_*.deb; do dpkg-deb -x "$deb" tree; done
export PATH="$work/tree/usr/bin:$work/tree/bin:$PATH"

bind() { # the processor of the older namespace, that of the younger one
  taskset -c "$1" unshare --mount --propagation private sh -c '
    mount -t tmpfs none "$0"; touch "$0/file"
    taskset -c "$1" unshare --mount sleep 5 & sleep 0.3
    if mount --bind "/proc/$!/ns/mnt" "$0/file" 2>/dev/null; then echo bound; else echo refused; fi
    kill $!' "$work/debs" "$2"
}
same="$(bind 0 0) $(bind 1 1)"; across="$(bind 0 1) $(bind 1 0)"
echo "both on one processor: $same; from the first to the second, and back: $across"
[[ "$same" = "bound bound" ]] || { echo "the kernel has changed"; exit 1; }
[[ "$across" = "refused bound" || "$across" = "bound refused" ]] \
  || { echo "the kernel has changed"; exit 1; }
echo "holds: the order of two mount namespaces is that of their processors' blocks"
