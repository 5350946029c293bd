/** Shared parts of the tests of images. */

import { assert, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { ImageError, type ImageErrorCode } from "../../images/errors.ts";
import { RamekinError } from "../../ffi/errors.ts";
import { unpackingIds } from "../../images/owners.ts";
import { removeTree } from "../../images/store/remove_tree.ts";
import { pull } from "../../images/mod.ts";
import { test } from "../support.ts";

// The first use of these leaves what all later ones share.
const first = await Deno.makeTempDir();
await pull("oci:/nonesuch", { store: first }).catch(() => {});
await Deno.remove(first, { recursive: true });

/** A test with a directory of its own, which is removed afterwards. */
export function inDirectory(
  name: string,
  body: (directory: string) => Promise<void>,
  skip?: string,
): void {
  test(name, async () => {
    const directory = await Deno.makeTempDir({ prefix: "ramekin-images-" });
    try {
      await body(directory);
    } finally {
      // An overlay leaves directories that no ordinary user may enter.
      await removeTree(directory, unpackingIds());
    }
  }, skip);
}

/** Checks that it fails with an error of this kind, which says all of this. */
export async function assertImageError(
  make: () => unknown,
  code: ImageErrorCode | undefined,
  ...says: readonly string[]
): Promise<void> {
  const error = await errorOf(make);
  if (code === undefined) assertInstanceOf(error, RamekinError);
  else {
    assertInstanceOf(error, ImageError);
    assert(error.code === code, `${error.code}: ${error.message}`);
  }
  for (const text of says) assertStringIncludes(error.message, text);
}

async function errorOf(make: () => unknown): Promise<unknown> {
  try {
    await make();
  } catch (error) {
    return error;
  }
  throw new Error("it has not failed");
}

/** Options by which tests do not wait. */
export const QUICK = { retryDelay: 1 } as const;
