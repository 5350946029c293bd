#!/usr/bin/env bash
# umoci makes an empty, noexec tmpfs of each volume of an image: its files there are hidden.
#
# Versions: umoci 0.4.7+ds-3+b7 (Debian 12).
#
# A good guess: `Volumes` of an image's configuration name directories with data of the program;
# image-spec 1.0 leaves it to the runtime what to put there, docker and podman copy the image's files
# into a new volume, so the files of the image are seen in the container. The bundle that umoci writes
# has a tmpfs with noexec there, without `tmpcopyup`: a database that ships its initial files in a
# volume finds none.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"; mkdir -p debs tree
apt-get install --reinstall --download-only -qq -y --no-install-recommends \
  -o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1 \
  umoci=0.4.7+ds-3+b7 >/dev/null 2>&1
for deb in debs/*.deb; do dpkg-deb -x "$deb" tree; done
export PATH="$work/tree/usr/bin:$PATH" LD_LIBRARY_PATH="$work/tree/usr/lib/$(uname -m)-linux-gnu"

umoci init --layout oci >/dev/null; umoci new --image oci:a >/dev/null
umoci config --image oci:a --config.volume /data >/dev/null
umoci unpack --rootless --image oci:a bundle >/dev/null 2>&1
mount=$(tr -d ' \n\t' < bundle/config.json | grep -o '{"destination":"/data"[^}]*}')
echo "$mount"
[[ "$mount" == *'"type":"tmpfs"'* && "$mount" == *'"noexec"'* && "$mount" != *tmpcopyup* ]] ||
  { echo "umoci has changed"; exit 1; }
echo "holds: a volume is an empty tmpfs with noexec"
