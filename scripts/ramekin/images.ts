/**
 * `ramekin images`: the images in the store.
 *
 * @module
 */

import { collectGarbage, storedImages, verifyStore } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { shortDigest, sizeText } from "./image_report.ts";
import { interruptible } from "./interruptible.ts";
import { paintFor, print, printError, printJson, table } from "./output.ts";
import { withProgress } from "./progress.ts";
import { timeText } from "./ps.ts";

const HEADS = ["IMAGE", "DIGEST", "PLATFORM", "SIZE", "AGE"];

/** Lists them, or verifies or cleans the store. */
export function run(given: Arguments): Promise<number> {
  return interruptible(async (signal) => {
    if (given.has("verify")) return await verify(given, signal);
    if (given.has("prune")) return await prune(given, signal);
    return await list(given);
  });
}

async function list(given: Arguments): Promise<number> {
  const images = await storedImages();
  if (given.has("json")) {
    printJson(images);
    return 0;
  }
  const rows = images.map(({ shortName, digest, platform, size, stored }) => [
    shortName,
    shortDigest(digest),
    platform,
    size === undefined ? "-" : sizeText(size),
    ageText(stored),
  ]);
  print(table(HEADS, rows, paintFor(Deno.stdout)));
  return 0;
}

function ageText(stored: string | undefined): string {
  const time = Date.parse(stored ?? "");
  return Number.isNaN(time) ? "-" : timeText(Math.max(0, (Date.now() - time) / 1000));
}

async function verify(given: Arguments, signal: AbortSignal): Promise<number> {
  const issues = await withProgress(
    "reading all that is stored",
    () => verifyStore({ remove: true, signal }),
  );
  if (given.has("json")) printJson(issues);
  else {
    for (const { image, digest, issue } of issues) {
      printError(`${image === undefined ? "" : `${image}: `}the blob ${digest} ${issue}`);
    }
    print(issues.length === 0 ? "all images are whole" : "pull the images again");
  }
  return issues.length === 0 ? 0 : 1;
}

async function prune(given: Arguments, signal: AbortSignal): Promise<number> {
  const collected = await withProgress(
    "looking for what is not used",
    () => collectGarbage({ signal }),
  );
  if (given.has("json")) printJson(collected);
  else {
    const { blobs, roots, bytes } = collected;
    print(`removed ${blobs} blobs of ${sizeText(bytes)}, and ${roots} unpacked roots`);
  }
  return 0;
}
