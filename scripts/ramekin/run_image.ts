/**
 * `ramekin run --image`: runs the program of an image.
 *
 * @module
 */

import { type Image, image as imageOf, ImageError, pull, storedImage } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { isDetached } from "./detach_flags.ts";
import { pullOptions, runOptions } from "./image_flags.ts";
import { imageReport } from "./image_report.ts";
import { interruptible } from "./interruptible.ts";
import { DENIAL_FLAGS, PERMISSION_FLAGS } from "./permission_flags.ts";
import { withProgress } from "./progress.ts";
import { apart, runProgram } from "./run_program.ts";
import { reportOf } from "./status_fd.ts";
import { UsageError } from "./usage.ts";
import { verboseOf } from "./verbose.ts";

/** Runs it. */
export async function run(given: Arguments): Promise<number> {
  check(given);
  const report = reportOf(given);
  const options = runOptions(given);
  let image: Image | undefined;
  const failed = await interruptible(async (signal) => {
    image = await opened(given, signal);
    const { name } = image;
    await withProgress(`unpacking ${name}`, () => image!.unpack({ signal }));
    return 0;
  });
  if (image === undefined || failed !== 0) return failed;
  await using held = image;
  const { args } = await held.process(given.program, options);
  const box = await held.recipe(options);
  const verbose = verboseOf(given, isDetached(given) ? apart(box) : box);
  if (isDetached(given)) {
    const { superviseProgram } = await import("./supervisor.ts");
    return await superviseProgram(given, {
      recipe: apart(box),
      program: args,
      source: { image: held.name },
    });
  }
  const name = given.value("name");
  return await runProgram(args, (program, streams) => box.command(program, streams), {
    report,
    name,
    verbose,
  });
}

/** Opens the image, which is pulled when the flags say so. */
async function opened(given: Arguments, signal: AbortSignal): Promise<Image> {
  const name = given.value("image")!;
  const when = given.value("pull") ?? "missing";
  using report = imageReport(given, name);
  const options = { ...pullOptions(given), signal, progress: report.report };
  if (when === "always") return await pull(name, options);
  if (when === "missing") return await imageOf(name, options);
  const stored = await storedImage(name, options);
  if (stored !== undefined) {
    if (options.verifyKey === undefined) return stored;
    await using _held = stored;
    return await imageOf(name, options);
  }
  const platform = given.value("platform");
  const what = platform === undefined ? name : `${name} for ${platform}`;
  throw new ImageError(`there is no image ${what} in the store, and --pull=never`, {
    code: "not-found",
    advice: ["ramekin images lists those that there are"],
  });
}

/** Refuses flags that are for recipes. */
function check(given: Arguments): void {
  const [recipe] = given.operands;
  if (recipe !== undefined) {
    throw new UsageError(`"${recipe}" is one word too many: with --image there is no recipe`);
  }
  const { net, ...others } = PERMISSION_FLAGS;
  const flags = [...Object.values(others), ...Object.values(DENIAL_FLAGS), { name: "allow-all" }];
  const flag = [...flags, { name: "set" }].find(({ name }) => given.has(name));
  if (flag !== undefined) {
    throw new UsageError(
      `--${flag.name} is for recipes; a container of an image sees volumes: --volume=PATH:TARGET`,
    );
  }
  if (given.values(net.name).some((host) => host !== undefined)) {
    throw new UsageError("--allow-net of an image is for all hosts, and has no list of them");
  }
  const when = given.value("pull");
  if (when !== undefined && !["missing", "always", "never"].includes(when)) {
    throw new UsageError(`--pull=${when}: it is missing, always or never`);
  }
}
