#!/usr/bin/env bash
# umoci does not unpack a layer with a sparse file as GNU tar writes it by default.
#
# Versions: umoci 0.4.7+ds-3+b7 (Debian 12), GNU tar of the same release.
#
# A good guess: a layer is a tar archive, image-spec 1.0 names tar(5) and lists the GNU formats, and
# Go's archive/tar reads "sparse files" by its documentation; so `tar -S` saves space in a layer and
# nothing else. In Debian's default format (gnu) such a file has the type `S`; umoci refuses the
# layer: "unknown typeflag". In the pax format (--format=pax -S) the same file is unpacked.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"; mkdir -p debs tree
apt-get install --reinstall --download-only -qq -y --no-install-recommends \
  -o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1 \
  umoci=0.4.7+ds-3+b7 >/dev/null 2>&1
for deb in debs/*.deb; do dpkg-deb -x "$deb" tree; done
export PATH="$work/tree/usr/bin:$PATH" LD_LIBRARY_PATH="$work/tree/usr/lib/$(uname -m)-linux-gnu"

truncate -s 1M sparse; printf soup >> sparse
unpacked() { # whether a layer in this format can be unpacked
  rm -rf oci out; umoci init --layout oci >/dev/null; umoci new --image oci:a >/dev/null
  tar --format="$1" -S --owner=0 --group=0 -cf layer.tar sparse
  umoci raw add-layer --image oci:a layer.tar >/dev/null
  umoci raw unpack --rootless --image oci:a out >log 2>&1 && cmp -s sparse out/sparse &&
    echo unpacked || grep -o 'unknown typeflag[^:]*' log | head -n 1
}
gnu=$(unpacked gnu) pax=$(unpacked pax)
echo "gnu: $gnu"; echo "pax: $pax"
[[ "$gnu" == "unknown typeflag"* && "$pax" = unpacked ]] || { echo "umoci has changed"; exit 1; }
echo "holds: tar -S makes a layer that umoci refuses"
