#!/usr/bin/env bash
# An image that skopeo compresses as zstd:chunked has a layer with another diff_id than it says.
#
# Versions: skopeo 1.9.3+ds1-1+b10, umoci 0.4.7+ds-3+b7 (Debian 12).
#
# A good guess: `skopeo copy --dest-compress-format zstd:chunked` compresses each layer anew and
# leaves the tar in it as it was, so that the diff_id in the configuration (image-spec 1.0: the
# digest of the layer's uncompressed tar) stays right. With plain zstd it does. With zstd:chunked
# the padding at the end of the tar is dropped, the configuration is not changed, and an engine that
# checks the diff_id refuses the image.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"; mkdir -p debs tree
apt-get install --reinstall --download-only -qq -y --no-install-recommends \
  -o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1 \
  skopeo=1.9.3+ds1-1+b10 umoci=0.4.7+ds-3+b7 libgpgme11 libassuan0 libgpg-error0 libdevmapper1.02.1 zstd \
  >/dev/null 2>&1
for deb in debs/*.deb; do dpkg-deb -x "$deb" tree; done
export PATH="$work/tree/usr/bin:$PATH" LD_LIBRARY_PATH="$work/tree/usr/lib/$(uname -m)-linux-gnu"
echo '{"default":[{"type":"insecureAcceptAnything"}]}' > policy.json

umoci init --layout oci >/dev/null; umoci new --image oci:a >/dev/null
echo soup > dish; tar --owner=0 --group=0 -cf layer.tar dish
umoci raw add-layer --image oci:a layer.tar >/dev/null
blob() { cat "$1/blobs/sha256/${2#sha256:}"; }
digests() { grep -o 'sha256:[0-9a-f]*'; }
compare() { # what the configuration and the layer itself say of the diff_id
  rm -rf out
  skopeo --policy policy.json copy --quiet --dest-compress-format "$1" --dest-compress \
    oci:oci:a dir:out >/dev/null
  config=$(tr -d ' \n' < out/manifest.json | grep -o '"config":{[^}]*}' | digests)
  layer=$(tr -d ' \n' < out/manifest.json | grep -o '"layers":\[.*' | digests | head -n 1)
  said=$(tr -d ' \n' < "out/${config#sha256:}" | grep -o '"diff_ids":\[[^]]*' | digests)
  is=sha256:$(zstd -dcq "out/${layer#sha256:}" | sha256sum | cut -d' ' -f1)
  size=$(zstd -dcq "out/${layer#sha256:}" | wc -c)
  [ "$said" = "$is" ] && echo "right, $size bytes" || echo "wrong, $size bytes"
}
echo "the tar: $(wc -c < layer.tar) bytes"
plain=$(compare zstd) chunked=$(compare zstd:chunked)
echo "zstd: $plain"; echo "zstd:chunked: $chunked"
[[ "$plain" = "right, 10240 bytes" && "$chunked" = wrong* ]] || { echo "skopeo has changed"; exit 1; }
echo "holds: zstd:chunked changes the tar, and not the diff_id"
