/** Pulls and removes the images of a layout, until it is killed: `STORE LAYOUT`. */

import { pull, removeImages } from "../../images/mod.ts";

const [store, layout] = Deno.args;
if (store === undefined || layout === undefined) throw new Error("STORE LAYOUT");
for (let round = 0;; round++) {
  const image = await pull(`oci:${layout}:${round % 2 === 0 ? "one" : "two"}`, { store });
  const { name } = image;
  await image[Symbol.asyncDispose]();
  if (round === 0) await Deno.stdout.write(new TextEncoder().encode("."));
  if (round % 3 === 2) await removeImages([name], { store }).catch(() => {});
}
