/** The archive that the emulated machines start from, unpacked by another program. */

import { assert, assertEquals } from "@std/assert";
import { Archive } from "../../scripts/vm/archive.ts";
import { missing, testWith } from "../ffi/support.ts";

const CPIO = "busybox";

testWith(missing(CPIO), "what is put into an archive comes out of it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "ramekin-archive-" });
  try {
    await Deno.mkdir(`${folder}/in/deep/er`, { recursive: true });
    await Deno.writeTextFile(`${folder}/in/deep/er/file`, "tree\n", { mode: 0o640 });
    await Deno.writeTextFile(`${folder}/in/unwanted`, "");
    await Deno.symlink("deep/er", `${folder}/in/link`);
    {
      using archive = new Archive(`${folder}/archive`);
      archive.file("a/path/without/folders", "text\n", 0o755);
      archive.file("empty", new Uint8Array());
      archive.tree("tree", `${folder}/in`, (path) => !path.endsWith("unwanted"));
    }
    {
      using second = new Archive(`${folder}/second`);
      second.link("link", "a/path");
    }
    for (const name of ["archive", "second"]) await unpack(`${folder}/${name}`, `${folder}/out`);

    const read = (name: string) => Deno.readTextFileSync(`${folder}/out/${name}`);
    const mode = (name: string) => Deno.lstatSync(`${folder}/out/${name}`).mode! & 0o7777;
    assertEquals(read("a/path/without/folders"), "text\n");
    assertEquals(mode("a/path/without/folders"), 0o755);
    assertEquals(mode("a/path"), 0o755);
    assertEquals(read("empty"), "");
    assertEquals(read("tree/link/file"), "tree\n");
    assertEquals(mode("tree/deep/er/file"), 0o640);
    assertEquals(Deno.readLinkSync(`${folder}/out/link`), "a/path");
    assert(![...Deno.readDirSync(`${folder}/out/tree`)].some(({ name }) => name === "unwanted"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function unpack(archive: string, into: string): Promise<void> {
  await Deno.mkdir(into, { recursive: true });
  const args = ["cpio", "-i", "-d", "-F", archive];
  const { success, stderr } = await new Deno.Command(CPIO, { args, cwd: into }).output();
  assert(success, new TextDecoder().decode(stderr));
}
