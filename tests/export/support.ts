/** Shared parts of the tests of exports: a root of busybox, and bundles that are written. */

import type { BundleFile } from "../../export/mod.ts";

/** Why the tests are skipped. */
export const noBusybox: string | undefined = isThere("/bin/busybox")
  ? undefined
  : "needs /bin/busybox (busybox-static)";

/** Why tests with a program are skipped. */
export function without(...paths: readonly string[]): string | undefined {
  return paths.some(isThere) ? undefined : `needs ${paths[0]}`;
}

export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Runs a test in a directory with a root of busybox, `root`, that is removed then. */
export function withRoot(body: (directory: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const directory = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "ramekin-export-" }));
    try {
      Deno.chmodSync(directory, 0o755);
      for (const path of ["bin", "dev", "etc", "mnt", "proc", "sys", "tmp"]) {
        Deno.mkdirSync(`${directory}/root/${path}`, { recursive: true });
      }
      Deno.copyFileSync("/bin/busybox", `${directory}/root/bin/busybox`);
      for (const name of ["sh", "id", "hostname", "cat", "env", "grep", "mount", "sort"]) {
        Deno.symlinkSync("busybox", `${directory}/root/bin/${name}`);
      }
      await body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

/** Writes a bundle. */
export function writeBundle(directory: string, files: readonly BundleFile[]): void {
  Deno.mkdirSync(directory);
  for (const { path, type, text = "", mode } of files) {
    const whole = `${directory}/${path}`;
    if (type === "symlink") Deno.symlinkSync(text, whole);
    else if (type === "directory") Deno.mkdirSync(whole);
    else Deno.writeTextFileSync(whole, text);
    if (mode !== undefined) Deno.chmodSync(whole, mode);
  }
}
