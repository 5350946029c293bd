/**
 * `ramekin pack`: makes an image of the root that a recipe makes.
 *
 * @module
 */

import {
  type Image,
  image as imageOf,
  type NewConfig,
  type NotPacked,
  type PackedImage,
  packImage,
} from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { absolute, platformOf, programOf, pullOptions } from "./image_flags.ts";
import { imageReport } from "./image_report.ts";
import { interruptible } from "./interruptible.ts";
import { print, printError, printJson } from "./output.ts";
import { withProgress } from "./progress.ts";
import { recipeFile } from "./recipe_file.ts";
import { bytesOf } from "./units.ts";
import { UsageError } from "./usage.ts";

/** Makes it. */
export async function run(given: Arguments): Promise<number> {
  const output = given.value("output");
  if (output === undefined) {
    throw new UsageError("-o=OUTPUT is missing: a name in the store, or oci-archive:FILE");
  }
  const { recipe, located } = await recipeFile(
    given.operands[0]!,
    given.values("set").map((setting) => setting!),
  );
  const [maxSize, platform] = [given.value("max-size"), platformOf(given)];
  return await interruptible(async (signal) => {
    await using from = await baseOf(given, signal);
    const making = () =>
      packImage(recipe, output, {
        from,
        copy: copiesOf(given),
        config: programOf(given) satisfies NewConfig,
        platform,
        maxBytes: maxSize === undefined ? undefined : bytesOf(maxSize, "max-size"),
        signal,
      });
    const packed = await located(() => withProgress(`making ${output}`, making));
    if (given.has("json")) printJson(packed);
    else {
      if (!given.has("quiet")) report(packed);
      print(`${packed.name}@${packed.digest}`);
    }
    return 0;
  });
}

/** The image that is changed, which is pulled unless it is there. */
async function baseOf(given: Arguments, signal: AbortSignal): Promise<Image | undefined> {
  const name = given.value("from");
  if (name === undefined) return undefined;
  using report = imageReport(given, name);
  return await imageOf(name, { ...pullOptions(given), signal, progress: report.report });
}

/** Which files of this machine are copied. */
function copiesOf(given: Arguments): boolean | readonly string[] {
  const values = given.values("copy");
  if (values.includes(undefined)) return true;
  return values.flatMap((list) => list!.split(",")).map(absolute);
}

/** Tells what is no part of the image: the steps of one reason together. */
function report({ notPacked, notCopied }: PackedImage): void {
  const steps = Map.groupBy(notPacked, ({ why }) => why);
  if (steps.size > 0) printError("no part of the image:");
  for (const [why, those] of steps) printError(`  ${those.map(stepText).join(", ")}: ${why}`);
  if (notCopied.length > 0) printError("not copied as it is:");
  for (const { path, what, why } of notCopied.slice(0, MOST)) {
    printError(`  ${path}: ${what}: ${why}`);
  }
  const rest = notCopied.length - MOST;
  if (rest > 0) printError(`  and ${rest} more, which --json lists`);
}

/** How many files are listed. */
const MOST = 20;

function stepText({ step, name }: NotPacked): string {
  return `step ${step} (${name})`;
}
