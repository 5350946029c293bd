/** Paths that are looked up while somebody renames files, at which the kernel gives a lookup up. */

import { assertEquals } from "@std/assert";
import { linux, recipe, sandbox } from "../../mod.ts";
import { program } from "../escapes/support.ts";
import { readUntil } from "../other_scripts.ts";
import { inside, test } from "../support.ts";

/** Renames a file in a loop. */
const renaming = (directory: string) =>
  program(`
    chdir "${directory}" or die;
    open(my $file, ">", "a") or die;
    print "ready\\n";
    1 while rename("a", "b") && rename("b", "a");
    die "rename: $!";
  `);

/** Runs the body in a directory, while files in another one are renamed. */
async function amidRenames(body: (directory: string) => void): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    Deno.mkdirSync(`${directory}/other`);
    const args = ["-e", renaming(`${directory}/other`)];
    await using renames = recipe().command("perl", { args, stdout: "piped" }).spawn();
    await readUntil(renames.stdout, (text) => text.includes("ready"));
    body(directory);
    renames.kill("SIGKILL");
    await renames.stdout.cancel();
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

test("a link upwards is followed by a launch, whoever renames files meanwhile", () =>
  amidRenames((directory) => {
    for (const name of ["box/real", "box/lib"]) {
      Deno.mkdirSync(`${directory}/${name}`, { recursive: true });
    }
    Deno.writeTextFileSync(`${directory}/box/real/soup`, "leek");
    Deno.symlinkSync("../real", `${directory}/box/lib/link`);
    const path = `${directory}/box/lib/link`;
    const box = sandbox({ write: [`${directory}/box`], read: [path] });
    for (let launch = 0; launch < 100; launch++) {
      assertEquals(inside(box, `cat ${path}/soup`), "leek");
    }
  }));

test("linux.openat2() goes upwards, whoever renames files meanwhile", () =>
  amidRenames((directory) => {
    Deno.mkdirSync(`${directory}/box/lib`, { recursive: true });
    using opened = linux.open(`${directory}/box`, linux.O_PATH);
    for (const resolve of [linux.RESOLVE_BENEATH, linux.RESOLVE_IN_ROOT]) {
      for (let lookup = 0; lookup < 5000; lookup++) {
        const how = { flags: linux.O_PATH, resolve };
        using _found = linux.openat2(opened, "lib/../".repeat(10), how);
      }
    }
  }));
