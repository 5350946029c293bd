/** Signatures of images, verified by a key: what is good, and each way in which it is not. */

import { assertEquals } from "@std/assert";
import { image, pull, storedImages } from "../../images/mod.ts";
import { test } from "../support.ts";
import { FixtureRegistry } from "./fixture_registry.ts";
import { HERE, type MadeImage, makeImage, makeIndex } from "./made_image.ts";
import {
  bundle,
  KINDS,
  payloadOf,
  pemOf,
  putReferring,
  putTagged,
  type SignatureLayer,
  type SignaturePlace,
  Signer,
  simpleSigning,
} from "./signed_image.ts";
import { assertImageError, inDirectory, QUICK } from "./support.ts";

/** What a test has: an image in a registry, and its place for signatures. */
interface Signing {
  readonly registry: FixtureRegistry;
  readonly made: MadeImage;
  readonly reference: string;
  readonly place: SignaturePlace;
  readonly digest: string;
  /** The name without a tag, as cosign writes it. */
  readonly name: string;
  readonly directory: string;
  /** Pulls it into a new store, and returns the digest. */
  pull(verifyKey: string, reference?: string): Promise<string>;
}

function withImage(name: string, body: (signing: Signing) => Promise<void>): void {
  inDirectory(name, async (directory) => {
    await using registry = new FixtureRegistry();
    const made = makeImage();
    const reference = registry.put("team/tool:1", made);
    const { digest } = made.manifest;
    const place = { registry, repository: "team/tool", digest };
    let count = 0;
    const get = async (verifyKey: string, from = reference) => {
      const store = `${directory}/store${count++}`;
      await using image = await pull(from, { ...OPTIONS, store, verifyKey, unpack: false });
      return image.digest;
    };
    const about = { registry, made, reference, place, digest, directory, pull: get };
    await body({ ...about, name: `${registry.host}/team/tool` });
  });
}

const OPTIONS = { ...QUICK, credentials: () => undefined };

withImage("a signature by a key of any kind is verified", async ({ place, name, digest, pull }) => {
  for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
    const [signer, other] = [await Signer.make(kind), await Signer.make(kind)];
    putTagged(place, [await simpleSigning(signer, payloadOf(name, digest))]);
    assertEquals(await pull(signer.pem), digest, kind);
    await assertImageError(() => pull(other.pem), "signature", "has a signature, and it is not by");
  }
});

withImage("one good signature among others is enough", async (signing) => {
  const { place, name, digest, pull, directory } = signing;
  const [signer, other] = [await Signer.make(), await Signer.make("Ed25519")];
  const good = await simpleSigning(signer, payloadOf(name, digest));
  const damaged = { ...good, annotations: {} };
  putTagged(place, [await simpleSigning(other, payloadOf(name, digest)), damaged, good]);
  const path = `${directory}/cosign.pub`;
  await Deno.writeTextFile(path, signer.pem);
  assertEquals(await pull(path), digest);
});

withImage("signatures that refer to the image are verified too", async (signing) => {
  const { place, name, digest, pull } = signing;
  const signer = await Signer.make();
  const simple = [await simpleSigning(signer, payloadOf(name, digest))];
  const bundled = [await bundle(signer, digest)];
  const types = {
    "application/vnd.dev.cosign.artifact.sig.v1+json": simple,
    "application/vnd.dev.sigstore.bundle.v0.3+json": bundled,
    // What registries say that take the type of the configuration.
    "application/vnd.oci.empty.v1+json": bundled,
  };
  for (const [type, layers] of Object.entries(types)) {
    putReferring(place, [{ type: "application/spdx+json", layers: [] }, { type, layers }]);
    assertEquals(await pull(signer.pem), digest, type);
  }
});

withImage("what is signed is the index, or the image in it", async (signing) => {
  const { registry, made, pull, name } = signing;
  const signer = await Signer.make();
  const index = makeIndex([made], () => ({ platform: { os: "linux", architecture: HERE } }));
  const reference = registry.put("team/tool:2", index);
  for (const { manifest: { digest } } of [index, made]) {
    registry.manifests.delete(`team/tool@${index.manifest.digest.replace(":", "-")}.sig`);
    const place = { registry, repository: "team/tool", digest };
    putTagged(place, [await simpleSigning(signer, payloadOf(name, digest))]);
    assertEquals(await pull(signer.pem, reference), made.manifest.digest);
  }
});

withImage("each reason for which a signature is none has its words", async (signing) => {
  const { place, name, digest, pull, reference, registry } = signing;
  const signer = await Signer.make(), other = await Signer.make();
  const signed = (payload: Uint8Array<ArrayBuffer>) => simpleSigning(signer, payload);
  const good = await signed(payloadOf(name, digest));
  const another = `sha256:${"0".repeat(64)}`;
  const certificate = { "dev.sigstore.cosign/certificate": "-----BEGIN CERTIFICATE-----" };
  const extra = JSON.parse(new TextDecoder().decode(good.bytes));
  extra.critical.image["only-on"] = "Sundays";
  const cases: readonly (readonly [says: string, layers: readonly SignatureLayer[]])[] = [
    ["is not signed", []],
    ["another image: of sha256:0000", [await signed(payloadOf(name, another))]],
    ["another name", [await signed(payloadOf(`${registry.host}/team/tools`, digest))]],
    ["another name", [await signed(payloadOf(`${name}:2`, digest))]],
    ["another name", [await signed(payloadOf("", digest))]],
    ["not of a container image", [await signed(payloadOf(name, digest, "a cake"))]],
    ['says "only-on"', [await signed(new TextEncoder().encode(JSON.stringify(extra)))]],
    ["is not JSON", [await signed(new TextEncoder().encode("{"))]],
    ["has no annotation", [{ ...good, annotations: {} }]],
    ["no base64", [{ ...good, annotations: { ...good.annotations, [SIGNATURE]: "?" } }]],
    ["none is by the key", [
      await simpleSigning(other, payloadOf(name, digest)),
      await simpleSigning(other, payloadOf(name, digest), certificate),
    ]],
    ["keyless", [await simpleSigning(other, payloadOf(name, digest), certificate)]],
    // The signature of another payload.
    ["it is not by the key", [{ ...good, bytes: payloadOf(`${name}:1`, digest) }]],
    ["it is not by the key", [{ ...good, annotations: { [SIGNATURE]: btoa("\x30\x03abc") } }]],
  ];
  for (const [says, layers] of cases) {
    putTagged(place, layers);
    await assertImageError(() => pull(signer.pem), "signature", says);
  }
  // What says something else of the image, by the same key.
  registry.manifests.delete(`team/tool@${digest.replace(":", "-")}.sig`);
  const type = "application/vnd.dev.sigstore.bundle.v0.3+json";
  putReferring(place, [{ type, layers: [await bundle(signer, digest, "https://spdx.dev")] }]);
  await assertImageError(() => pull(signer.pem), "signature", '"https://spdx.dev"');
  putReferring(place, [{ type, layers: [await bundle(signer, another)] }]);
  await assertImageError(() => pull(signer.pem), "signature", "another image");
  registry.answer = () => undefined;
  // A tag in the name binds too, and a name by the digest has none.
  putTagged(place, [await signed(payloadOf(`${name}:1`, digest))]);
  assertEquals(await pull(signer.pem), digest);
  assertEquals(await pull(signer.pem, `${name}@${digest}`), digest);
  // The payload that comes is not the one of the manifest.
  registry.blobs.set(digestIn(registry, place), payloadOf(`${name}:2`, digest));
  await assertImageError(() => pull(signer.pem, reference), "signature", "what its digest says");
});

const SIGNATURE = "dev.cosignproject.cosign/signature";

/** The digest of the payload by cosign's tag. */
function digestIn(registry: FixtureRegistry, { repository, digest }: SignaturePlace): string {
  const found = registry.manifests.get(`${repository}@${digest.replace(":", "-")}.sig`)!;
  return JSON.parse(new TextDecoder().decode(registry.blobs.get(found.digest)!)).layers[0].digest;
}

withImage("nothing of an image comes before its signature is verified", async (signing) => {
  const { pull, registry, made } = signing;
  const signer = await Signer.make();
  await assertImageError(() => pull(signer.pem), "signature", "is not signed");
  const asked = registry.requests.filter((line) => line.includes(made.layers[0]!.digest));
  assertEquals(asked, []);
});

withImage("an image in the store is verified each time, by its digest there", async (signing) => {
  const { place, name, digest, registry, reference, directory } = signing;
  const [signer, other] = [await Signer.make(), await Signer.make()];
  const store = `${directory}/store`;
  const options = { ...OPTIONS, store, unpack: false };
  putTagged(place, [await simpleSigning(signer, payloadOf(name, digest))]);
  await (await pull(reference, options))[Symbol.asyncDispose]();
  assertEquals((await storedImages({ store })).map(({ verified }) => verified), [undefined]);
  // The tag has another image meanwhile, which is not the one in the store.
  registry.put("team/tool:1", makeImage({ config: { User: "1" } }));
  const wrong = { ...options, verifyKey: other.pem };
  await assertImageError(() => image(reference, wrong), "signature", "it is not by the key");
  await using same = await image(reference, { ...options, verifyKey: signer.pem });
  assertEquals(same.digest, digest);
  assertEquals(same.verified?.startsWith("sha256:"), true);
  // That it was verified is no signature.
  registry.manifests.delete(`team/tool@${digest.replace(":", "-")}.sig`);
  const again = { ...options, verifyKey: signer.pem };
  await assertImageError(() => image(reference, again), "signature", "is not signed");
});

test("what is no public key is refused before anything is asked", async () => {
  const weak = await Signer.make("RSA", 1024);
  const x25519 = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]) as CryptoKeyPair;
  const exported = await crypto.subtle.exportKey("spki", x25519.publicKey);
  const bytes = new Uint8Array(8).buffer;
  const cases: readonly (readonly [key: string, says: string])[] = [
    ["/nonesuch/cosign.pub", "no such file"],
    ["/dev/null", "is no file of a key"],
    ["-----BEGIN PUBLIC KEY-----\n", "has no key in it"],
    [weak.pem + weak.pem, "has 2 keys in it"],
    [weak.pem, "1024 bits, and 2048 are the least"],
    [pemOf(exported), "of no kind that is handled"],
    [pemOf(bytes), "of no kind that is handled"],
    [pemOf(bytes, "ENCRYPTED SIGSTORE PRIVATE KEY"), "is a private key"],
    [pemOf(bytes, "CERTIFICATE"), "is a certificate"],
    [pemOf(bytes, "RSA PUBLIC KEY"), "PKCS #1"],
    [pemOf(bytes).replace("AAA", "?"), "no base64"],
  ];
  for (const [verifyKey, says] of cases) {
    await assertImageError(() => pull("tool.invalid/tool", { verifyKey }), "signature", says);
  }
});
