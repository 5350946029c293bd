/** The archive that the emulated machines start from, unpacked by another program. */

import { assert, assertEquals } from "@std/assert";
import { Archive } from "../../scripts/vm/archive.ts";
import { missing, testWith } from "../ffi/support.ts";

const CPIO = "busybox";

testWith(missing(CPIO), "what is put into an archive comes out of it", async () => {
  const directory = await Deno.makeTempDir({ prefix: "ramekin-archive-" });
  try {
    await Deno.mkdir(`${directory}/in/deep/er`, { recursive: true });
    await Deno.writeTextFile(`${directory}/in/deep/er/file`, "tree\n", { mode: 0o640 });
    await Deno.writeTextFile(`${directory}/in/unwanted`, "");
    await Deno.symlink("deep/er", `${directory}/in/link`);
    {
      using archive = new Archive(`${directory}/archive`);
      archive.file("a/path/without/directories", "text\n", 0o755);
      archive.file("empty", new Uint8Array());
      archive.tree("tree", `${directory}/in`, (path) => !path.endsWith("unwanted"));
    }
    {
      using second = new Archive(`${directory}/second`);
      second.link("link", "a/path");
    }
    for (const name of ["archive", "second"]) {
      await unpack(`${directory}/${name}`, `${directory}/out`);
    }

    const read = (name: string) => Deno.readTextFileSync(`${directory}/out/${name}`);
    const mode = (name: string) => Deno.lstatSync(`${directory}/out/${name}`).mode! & 0o7777;
    assertEquals(read("a/path/without/directories"), "text\n");
    assertEquals(mode("a/path/without/directories"), 0o755);
    assertEquals(mode("a/path"), 0o755);
    assertEquals(read("empty"), "");
    assertEquals(read("tree/link/file"), "tree\n");
    assertEquals(mode("tree/deep/er/file"), 0o640);
    assertEquals(Deno.readLinkSync(`${directory}/out/link`), "a/path");
    assert(![...Deno.readDirSync(`${directory}/out/tree`)].some(({ name }) => name === "unwanted"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

async function unpack(archive: string, into: string): Promise<void> {
  await Deno.mkdir(into, { recursive: true });
  const args = ["cpio", "-i", "-d", "-F", archive];
  const { success, stderr } = await new Deno.Command(CPIO, { args, cwd: into }).output();
  assert(success, new TextDecoder().decode(stderr));
}
