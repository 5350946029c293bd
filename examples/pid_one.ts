/**
 * The first process of a pid namespace is PID 1 there: it has another pid outside, it becomes the
 * parent of all orphans, and when it ends, all others are killed. Namespaces can be nested. See
 * pid_namespaces(7).
 *
 * Prints:
 *
 *     One process, two pids, outside and inside: ...,1
 *     An orphan's new parent is PID 1.
 *     PID 1 has ended, and so has what it had started, and its output.
 *     Level 1: I am PID 1, and level 2 is PID ... here.
 *     Level 2: I am PID 1, and level 3 is PID ... here.
 *     Level 3: I am PID 1.
 */
// deno-lint-ignore-file no-console

import { mapRoot, pidsIn, proc, recipe, unshare } from "../mod.ts";

const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());

/** This file once more, as PID 1 of a namespace in the one that it runs in. */
function nextLevel(level: number) {
  const args = ["run", "--allow-ffi", import.meta.filename!, String(level)];
  return box.command(Deno.execPath(), { args }).spawn();
}

const level = Number(Deno.args[0] ?? 0);
if (level === 0) {
  {
    await using container = box.command("sleep", { args: ["infinity"] }).spawn();
    console.log(`One process, two pids, outside and inside: ${pidsIn(container)}`);
  }

  // The shell in the middle starts a process and ends.
  const orphan = "orphan=$(sh -c 'sleep 60 >&2 & echo $!')";
  const parent = "PID $(grep PPid /proc/$orphan/status | cut -f2)";
  const script = `${orphan}; echo "An orphan's new parent is ${parent}."`;
  await box.command("sh", { args: ["-c", script] }).spawn().status;

  const { success } = await box.command("sh", { args: ["-c", "sleep 60 & exit 0"] }).output();
  if (success) console.log("PID 1 has ended, and so has what it had started, and its output.");

  await nextLevel(1).status;
} else if (level < 3) {
  const next = nextLevel(level + 1);
  console.log(
    `Level ${level}: I am PID ${Deno.pid}, and level ${level + 1} is PID ${next.pid} here.`,
  );
  await next.status;
} else {
  console.log(`Level ${level}: I am PID ${Deno.pid}.`);
}
