/** Names of images in archives, which are anybody's. */

import { assertEquals, assertMatch } from "@std/assert";
import { type ImageError, load, pull, save, storedImages } from "../../images/mod.ts";
import { makeImage, writeLayout } from "./made_image.ts";
import { output } from "./programs.ts";
import { assertImageError, inDirectory } from "./support.ts";

const NAMES = [
  ...[
    "../../../etc/passwd",
    "/etc/passwd",
    "..",
    "",
    "oci:/etc:tool",
    "docker-archive:/etc/passwd",
  ],
  ...[
    "tool:1\nother:1",
    "\u001b[2Jtool:1",
    "tool:\0",
    "tool:1\u202e",
    "tool:1 --force",
    "$(reboot)",
  ],
  ...["--all", "tool@sha256:00", `tool:${"x".repeat(200)}`, `${"long/".repeat(60)}tool:1`, "a:b:c"],
];

inDirectory("hostile names in an archive are no names in the store", async (directory) => {
  const [layout, unpacked] = [`${directory}/layout`, `${directory}/unpacked`];
  const [archive, other] = [`${directory}/image.tar`, `${directory}/other.tar`];
  writeLayout(layout, { tag: makeImage() });
  {
    const store = `${directory}/first`;
    await using image = await pull(`oci:${layout}:tag`, { store, name: "tool:1", unpack: false });
    using file = await Deno.create(archive);
    await save([image], file);
  }
  Deno.mkdirSync(unpacked);
  await output("tar", "-C", unpacked, "-xf", archive);
  const write = (file: string, change: (document: unknown) => void) => {
    const path = `${unpacked}/${file}`;
    const document = JSON.parse(Deno.readTextFileSync(path));
    change(document);
    Deno.writeTextFileSync(path, JSON.stringify(document));
  };
  const store = `${directory}/store`;
  // Without the layout it is an archive of docker's.
  for (const kind of ["layout", "docker"]) {
    if (kind === "docker") Deno.removeSync(`${unpacked}/index.json`);
    for (const name of NAMES) {
      const annotations = { "org.opencontainers.image.ref.name": name };
      if (kind === "docker") {
        write(
          "manifest.json",
          (images) => (images as [{ RepoTags: string[] }])[0].RepoTags = [name],
        );
      } else {
        write(
          "index.json",
          (index) =>
            Object.assign((index as { manifests: [object] }).manifests[0], { annotations }),
        );
      }
      await output("tar", "-C", unpacked, "-cf", other, ".");
      await assertImageError(() => load(other, { store, unpack: false }), "reference");
      const error: ImageError = await load(other, { store, unpack: false }).catch((it) => it);
      assertMatch(error.message.replaceAll("\n", ""), /^[^\p{Cc}\p{Cf}]*$/u);
    }
  }
  assertEquals(await storedImages({ store }), []);
  // Another name can be given.
  for (const image of await load(other, { store, unpack: false, name: "tool:2" })) {
    assertEquals(image.name, "docker.io/library/tool:2");
    await image[Symbol.asyncDispose]();
  }
});
