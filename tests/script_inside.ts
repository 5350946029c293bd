/**
 * Scripts that tests run in containers.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Recipe } from "../mod.ts";
import { decode } from "./other_scripts.ts";

const MOD = new URL("../mod.ts", import.meta.url).href;

/** Runs a script that prints one JSON value, in a container, with `--allow-ffi` and the flags. */
export function scriptInside(
  box: Recipe,
  script: string,
  before = "",
  flags: readonly string[] = [],
): unknown {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o777);
    const path = `${directory}/script.ts`;
    Deno.writeTextFileSync(path, `import * as ramekin from "${MOD}";\n${script}`);
    const { code, stdout, stderr } = box.command("sh", {
      args: [
        "-euc",
        `${before}\nexec ${Deno.execPath()} run --no-check --quiet --allow-ffi ${
          flags.join(" ")
        } ${path}`,
      ],
      env: { DENO_DIR: `${directory}/cache`, HOME: directory, NO_COLOR: "1" },
    }).outputSync();
    assertEquals(code, 0, decode(stderr));
    return JSON.parse(decode(stdout));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
