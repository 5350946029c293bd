#!/usr/bin/env bash
# umoci unpacks no image of several platforms, and one of a foreign platform without a word.
#
# Versions: umoci 0.4.7+ds-3+b7 (Debian 12).
#
# A good guess: the tool that image-spec calls its reference for unpacking picks the manifest of this
# machine's platform from an image index, as image-spec 1.0 has it ("platform" of a descriptor), and
# fails if there is none. It calls an index with two platforms ambiguous, attestations of a build
# tool included; from an index with one manifest it unpacks that, whatever its platform.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"; mkdir -p debs tree
apt-get install --reinstall --download-only -qq -y --no-install-recommends \
  -o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1 \
  umoci=0.4.7+ds-3+b7 >/dev/null 2>&1
for deb in debs/*.deb; do dpkg-deb -x "$deb" tree; done
export PATH="$work/tree/usr/bin:$PATH" LD_LIBRARY_PATH="$work/tree/usr/lib/$(uname -m)-linux-gnu"

umoci init --layout oci >/dev/null; umoci new --image oci:a >/dev/null
echo soup > dish; tar --owner=0 --group=0 -cf layer.tar dish
umoci raw add-layer --image oci:a layer.tar >/dev/null
manifest=$(grep -o 'sha256:[0-9a-f]*' oci/index.json | head -n 1)
size=$(wc -c < "oci/blobs/sha256/${manifest#sha256:}")
entry() { # the manifest as that of a platform
  echo "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"$manifest\",\"size\":$size,\"platform\":{\"os\":\"linux\",\"architecture\":\"$1\"}}"
}
tagged() { # an image index of these entries, under the tag
  index="{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[$1]}"
  digest=$(printf %s "$index" | sha256sum | cut -d' ' -f1)
  printf %s "$index" > "oci/blobs/sha256/$digest"
  echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"sha256:$digest\",\"size\":${#index},\"annotations\":{\"org.opencontainers.image.ref.name\":\"many\"}}]}" > oci/index.json
}
unpack() { rm -rf out; umoci raw unpack --rootless --image oci:many out >log 2>&1 && cat out/dish || grep -o 'ambiguous' log | head -n 1; }
tagged "$(entry amd64),$(entry arm64)"; both=$(unpack)
tagged "$(entry s390x)"; foreign=$(unpack)
echo "two platforms: $both"; echo "one, s390x: $foreign"
[[ "$both" = ambiguous && "$foreign" = soup ]] || { echo "umoci has changed"; exit 1; }
echo "holds: umoci does not look at platforms"
