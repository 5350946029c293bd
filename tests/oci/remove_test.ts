/** What removes the files and the groups of a container for the dispatcher. */

import { assertEquals } from "@std/assert";
import { REMOVE } from "../../oci/remove_bytes.ts";
import { missing, testWith } from "../ffi/support.ts";

const EMULATOR = "qemu-aarch64-static";

const MACHINES = [
  { name: "here", lacks: undefined, around: [], bytes: REMOVE[Deno.build.arch as "x86_64"] },
  {
    name: "aarch64 in qemu",
    lacks: missing(EMULATOR),
    around: [EMULATOR],
    bytes: REMOVE.aarch64,
  },
];

for (const { name, lacks, around, bytes } of MACHINES) {
  testWith(lacks, `all is removed in its order up to what cannot be, ${name}`, () => {
    const directory = Deno.makeTempDirSync({ prefix: "ramekin-remove-" });
    const at = (path: string) => `${directory}/${path}`;
    const program = at("remove");
    Deno.writeFileSync(program, Uint8Array.fromBase64(bytes), { mode: 0o755 });
    const remove = (...paths: string[]) => {
      const [command, ...args] = [...around, program, ...paths.map(at)];
      return new Deno.Command(command!, { args, stdout: "null", stderr: "null" }).outputSync().code;
    };
    const left = () => Array.from(Deno.readDirSync(directory), ({ name }) => name).sort();
    try {
      Deno.mkdirSync(at("group"));
      Deno.mkdirSync(at("used/child"), { recursive: true });
      Deno.writeTextFileSync(at("file"), "");
      Deno.symlinkSync("used", at("link"));
      assertEquals(remove("group", "gone", "used", "file"), 1);
      assertEquals(left(), ["file", "link", "remove", "used"]);
      assertEquals(remove("gone/child", "file", "used/child", "link", "used"), 0);
      assertEquals(left(), ["remove"]);
      assertEquals(remove(), 0);
      assertEquals(remove("remove/child"), 1);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}
