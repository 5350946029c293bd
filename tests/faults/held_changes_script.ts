/**
 * Commits changes to a directory without an end: it becomes A, then B, then A. What a program would have
 * left is made by the script itself.
 */

import { hold } from "../../changes/mod.ts";
import { linux } from "../../mod.ts";

const [directory, place] = Deno.args as [string, string];
const FILES = 20;

for (let round = 0;; round++) {
  const [state, other] = round % 2 === 0 ? ["A", "B"] : ["B", "A"];
  const held = await hold([directory], { place });
  const upper = `${held.places[directory]}/upper`;
  Deno.mkdirSync(`${upper}/shelf`);
  Deno.chmodSync(`${upper}/shelf`, state === "A" ? 0o750 : 0o700);
  for (let at = 0; at < FILES; at++) Deno.writeTextFileSync(`${upper}/shelf/${at}`, state!);
  Deno.writeTextFileSync(`${upper}/only${state}`, state!);
  if (round > 0) linux.mknodat(linux.AT_FDCWD, `${upper}/only${other}`, linux.S_IFCHR);
  if (state === "A") {
    Deno.mkdirSync(`${upper}/kind`);
    Deno.writeTextFileSync(`${upper}/kind/inner`, state);
    if (round > 0) linux.mknodat(linux.AT_FDCWD, `${upper}/tree`, linux.S_IFCHR);
  } else {
    Deno.writeTextFileSync(`${upper}/kind`, state!);
    Deno.mkdirSync(`${upper}/tree/deep`, { recursive: true });
    for (let at = 0; at < FILES; at++) Deno.writeTextFileSync(`${upper}/tree/deep/${at}`, state!);
  }
  await held.commit(undefined, { conflicts: "overwrite" });
  if (round === 0) Deno.stdout.writeSync(new TextEncoder().encode("ready\n"));
}
