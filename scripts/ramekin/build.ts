/**
 * `ramekin build`: writes a recipe as an executable. It makes no system call of its own, so that it
 * runs on any machine that Deno runs on, without `--allow-ffi`.
 *
 * @module
 */

import { type BoxOptions, buildBox } from "../../box/mod.ts";
import type { Arguments } from "./arguments.ts";
import { boxedSandbox, IN_BOX } from "./box_flags.ts";
import { dataFile } from "./data_file.ts";
import { writable } from "./file_error.ts";
import { FILE_FLAGS } from "./file_flags.ts";
import { mayWrite, writeBytes, writeNew } from "./files.ts";
import { LIMIT_FLAGS } from "./limit_flags.ts";
import { printJson } from "./output.ts";
import { UsageError } from "./usage.ts";

/** Writes the box. */
export async function run(given: Arguments): Promise<number> {
  const output = given.value("output");
  if (output === undefined) throw new UsageError("-o=FILE is missing: where the box is written to");
  const options: BoxOptions = {
    program: given.program,
    ...choice(given, "arch", "architecture", ["x86_64", "aarch64"]),
    ...choice(given, "for", "for", ["root", "user"]),
  };
  if (output === "-" && given.has("json")) {
    throw new UsageError("--json and -o=-: both would be on the standard output");
  }
  if (output === "-" && Deno.stdout.isTerminal()) {
    throw new UsageError("-o=-: the standard output is a terminal; redirect it to a file");
  }
  const bytes = await bytesOf(given, options);
  if (output === "-") writeOut(bytes);
  else writeNew(output, () => writeExecutable(output, bytes));
  if (given.has("json")) printJson({ file: output, size: bytes.length });
  return 0;
}

function writeOut(bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

/** Writes it with Deno's permission, or where that is not given, as `--allow-ffi` allows it. */
function writeExecutable(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  if (!mayWrite(path)) return writeBytes(path, bytes, 0o755);
  writable(path, () => Deno.writeFileSync(path, bytes, { mode: 0o755 }));
  // An older file keeps its mode.
  if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o755);
}

async function bytesOf(given: Arguments, options: BoxOptions): Promise<Uint8Array<ArrayBuffer>> {
  const [path] = given.operands;
  if (given.has("sandbox")) {
    if (path !== undefined) {
      throw new UsageError(`--sandbox is instead of a recipe; leave out ${path}`);
    }
    return buildBox(boxedSandbox(given, IN_BOX), { ...options, cwd: "caller" });
  }
  if (path === undefined) throw new UsageError("RECIPE is missing, or --sandbox in its place");
  const flag = SANDBOX_FLAGS.find((name) => given.has(name));
  if (flag !== undefined) {
    throw new UsageError(`--${flag} is for --sandbox; a recipe has its own steps`);
  }
  const settings = given.values("set").map((value) => value!);
  const { recipe, located } = await dataFile(path, settings);
  return located(() => buildBox(recipe, options));
}

/** The flags that describe a sandbox. */
const SANDBOX_FLAGS = [
  "allow-read",
  "allow-write",
  "allow-net",
  "allow-env",
  "allow-all",
  "deny-read",
  "deny-write",
  "deny-net",
  "deny-env",
  "protect",
  "no-protect",
  ...FILE_FLAGS.map(({ name }) => name),
  "cwd",
  "setenv",
  "hostname",
  ...LIMIT_FLAGS.map(({ name }) => name),
  "unix-sockets",
  "setuid-files",
  "32-bit",
  "weaker-proc",
  "drop-groups",
];

/** The option that a flag with a few values sets. */
function choice<Option extends keyof BoxOptions>(
  given: Arguments,
  flag: string,
  option: Option,
  values: readonly BoxOptions[Option][],
): BoxOptions {
  const value = given.value(flag);
  if (value === undefined) return {};
  if (!values.includes(value as BoxOptions[Option])) {
    throw new UsageError(`--${flag}=${value}: it is ${values.join(" or ")}`);
  }
  return { [option]: value };
}
