/** Attacks on held changes: on where they are kept, and on the files of the host at the commit. */

import { assertEquals } from "@std/assert";
import { hold } from "../../changes/mod.ts";
import { PROTECTED_NAMES } from "../../mod.ts";
import { inKitchen, runIn } from "../changes/support.ts";

inKitchen("no program sees where changes are held, or writes there", async (kitchen) => {
  const { directory, place } = kitchen;
  const whole = directory.slice(0, directory.lastIndexOf("/"));
  await using held = await hold([directory], { place });
  const [kept] = Object.values(held.places);
  const attack = `ls -A ${whole} ${kept} 2> /dev/null || true; ` +
    `for f in ${kept}/upper/x ${kept}/../commit.json ${place}/x; do ` +
    "! { echo x > $f; } 2> /dev/null; done";
  const shown = await runIn(held.sandbox({ read: [whole] }), directory, attack);
  assertEquals(shown.split("\n").filter((line) => /upper|work|json/.test(line)), []);
  assertEquals(await held.changes(), []);
  // Who writes there can have any file of the user changed.
  assertEquals(PROTECTED_NAMES.includes("~/.local/state/ramekin"), true);
});

inKitchen("a commit follows no link, of the program's or the host's", async (kitchen) => {
  const { directory, place } = kitchen;
  const outside = `${directory}.outside`;
  Deno.mkdirSync(outside);
  Deno.writeTextFileSync(`${outside}/soup`, "mine\n");
  Deno.mkdirSync(`${directory}/sub`);
  Deno.mkdirSync(`${directory}/swapped`);
  await using held = await hold([directory], { place });
  await runIn(
    held.sandbox(),
    directory,
    `echo x > sub/soup; echo x > swapped/soup; ln -s ${outside} link; ln -s ${outside}/soup file; ` +
      `rm -r sub; ln -s ${outside} sub; ln -s ../../../../etc/passwd up`,
  );
  // An earlier program of the same user swaps a directory for a link.
  Deno.removeSync(`${directory}/swapped`);
  Deno.symlinkSync(outside, `${directory}/swapped`);
  await held.commit(undefined, { conflicts: "overwrite" });
  assertEquals(Deno.readTextFileSync(`${outside}/soup`), "mine\n");
  assertEquals([...Deno.readDirSync(outside)].length, 1);
  assertEquals(Deno.readLinkSync(`${directory}/sub`), outside);
  assertEquals(Deno.readTextFileSync(`${directory}/swapped/soup`), "x\n");
  assertEquals(Deno.lstatSync(`${directory}/swapped`).isDirectory, true);
});
