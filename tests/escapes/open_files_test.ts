/** Escapes by the script's open files, program and environment. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { SyscallProgram } from "../../ffi/engine/program.ts";
import { linux, sandbox, SyscallError } from "../../mod.ts";
import { inDirectory, root, test } from "../support.ts";
import { closeAtExec, keepOpen, launchAltered } from "./launch.ts";
import { assertNeedsAll, assertStopped, escape, SECRET } from "./support.ts";

test(
  "a directory that the script has open, by its number and by /proc/self/fd",
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/secret`, SECRET);
    // It is not close-on-exec, like files that some libraries open.
    using open = linux.open(directory, linux.O_DIRECTORY);
    for (
      const attack of [
        `call("openat", ${open.number}, "secret", 0)`,
        `take("/proc/self/fd/${open.number}/secret")`,
        `call("fchdir", ${open.number}); take("secret")`,
      ]
    ) {
      assertEquals(launchAltered(sandbox(), { attack }, keepOpen), 0, attack);
      assertStopped(sandbox(), attack, /Bad file descriptor|No such file/);
    }
  }),
);

test(
  "the script's own program, started by a link, to be written (CVE-2019-5736)",
  inDirectory((directory) => {
    Deno.symlinkSync("/proc/self/exe", `${directory}/tool`);
    // The file is only opened: the kernel checks the permission then, and while a script runs it
    // is busy (ETXTBSY). A container ends with its script.
    const { code, stderr } = sandbox({ write: [directory] }).command(`${directory}/tool`, {
      args: ["eval", `Deno.openSync("/proc/self/exe", { write: true }).close()`],
      env: { DENO_DIR: "/tmp/deno" },
    }).outputSync();
    assert(code !== 0, "it could be opened to be written");
    assertMatch(new TextDecoder().decode(stderr), root ? /Text file busy/ : /denied|busy/);
  }),
);

test(
  "a program of the host's, by a descriptor of the launch in a #! line (CVE-2024-21626)",
  inDirectory((directory) => {
    const project = `${directory}/project`;
    Deno.mkdirSync(project);
    Deno.mkdirSync(`${directory}/private`);
    Deno.copyFileSync("/bin/true", `${directory}/private/true`);
    const box = sandbox({ read: [project] });
    // Those of the launch have the numbers behind those of this process.
    const numbers = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name));
    const first = Math.min(
      ...numbers.map((number) => number + 1).filter((number) =>
        number > 2 && !numbers.includes(number)
      ),
    );
    const length = Math.max(...numbers) - first + 60;
    /** Whether the program runs by any descriptor. */
    const runs = (alter?: (program: SyscallProgram) => void) =>
      Array.from({ length }, (_, index) => first + index).some((fd) => {
        const up = "../".repeat(directory.split("/").length);
        const line = `#!/proc/self/fd/${fd}/${up}${directory.slice(1)}/private/true\n`;
        Deno.writeTextFileSync(`${project}/build.sh`, line, { mode: 0o755 });
        try {
          return launchAltered(box, { program: `${project}/build.sh` }, alter) === 0;
        } catch (error) {
          if (error instanceof Deno.errors.NotFound || error instanceof SyscallError) return false;
          throw error;
        }
      });
    assert(runs(closeAtExec), "it does not run where descriptors are closed by execve(2)");
    assert(!runs(), "it runs");
  }),
);

test("the script's environment", () => {
  Deno.env.set("RAMEKIN_SECRET", SECRET);
  try {
    const attack = `take("/proc/self/environ") =~ /RAMEKIN_SECRET/ or die "none\\n"`;
    assertNeedsAll(sandbox(), ["clearEnv"], attack);
    assertStopped(sandbox(), attack, /none/);
  } finally {
    Deno.env.delete("RAMEKIN_SECRET");
  }
});

escape("PID 1, which has begun as a copy of the script", {
  // The process shares the script's memory and cannot be traced until it is the init.
  attack: String.raw`
    for (1 .. 150) { open(my $maps, "<", "/proc/1/maps") and exit; select(undef, undef, undef, .01) }
    die "PID 1: $!\n"`,
  lacking: root ? ["the second user namespace", "capabilities"] : ["the second user namespace"],
  says: /Permission denied/,
});
