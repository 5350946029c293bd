/** Launches without a protection that no step adds, but every launch has. */

import { DEFAULT_PATH } from "../../recipe/default_path.ts";
import { assert } from "@std/assert";
import { engine } from "../../ffi/engine/engine.ts";
import { argumentOffset, recordOffset, type SyscallProgram } from "../../ffi/engine/program.ts";
import { CLOSE_RANGE_CLOEXEC } from "../../ffi/calls/files.ts";
import { syscallNumber } from "../../ffi/syscall_numbers.ts";
import { linux, type Recipe } from "../../mod.ts";
import { collectSync } from "../../launch/collect.ts";
import { execSpec } from "../../launch/exec.ts";
import { Launcher } from "../../launch/launcher.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { program } from "./support.ts";

/** An attack in Perl, or by a program. */
type Attack =
  & { readonly cwd?: string }
  & (
    | { readonly attack: string }
    | { readonly program: string }
  );

/** Tries an attack in a container, with a changed launch if given; returns its exit code. */
export function launchAltered(
  box: Recipe,
  { cwd, ...what }: Attack,
  alter?: (program: SyscallProgram) => void,
): number {
  const [name, args] = "program" in what
    ? [what.program, []]
    : ["perl", ["-e", program(what.attack)]];
  const spec = execSpec(name, {
    args,
    environment: { inherited: [], changes: new Map() },
    searchPath: DEFAULT_PATH,
    cwd,
  });
  const launched = new Launcher(planRecipe(box.steps)).spawn(spec, alter);
  return collectSync(launched, [], undefined).code;
}

/** The path of the working directory may lead through magic links of /proc. */
export function follow({ bytes }: SyscallProgram): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = BigInt(linux.O_PATH | linux.O_DIRECTORY | linux.O_CLOEXEC);
  const magic = 2n;
  let changed = 0;
  for (let at = 0; at + 24 <= bytes.length; at += 8) {
    const how = [0, 8, 16].map((offset) => view.getBigUint64(at + offset, true));
    if (how[0] !== flags || how[1] !== 0n || how[2] !== magic) continue;
    view.setBigUint64(at + 16, 0n, true);
    changed++;
  }
  assert(changed > 0, "there is no such place");
}

/** Descriptors are closed by execve(2) only, after it has looked up the program. */
export function closeAtExec({ bytes, calls }: SyscallProgram): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = calls.findLastIndex(({ name }) => name === "close_range");
  view.setInt32(argumentOffset(last, 2), CLOSE_RANGE_CLOEXEC, true);
}

/** Descriptors of the script stay open in the program. */
export function keepOpen({ bytes, calls }: SyscallProgram): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = calls.findLastIndex(({ name }) => name === "close_range");
  view.setInt32(recordOffset(last), syscallNumber("getpid", engine().architecture), true);
}
