/**
 * The script's own program, Deno, for a container that another program enters: at the program's path the
 * container has a link to /proc/self/exe, or a file that begins with it (CVE-2019-5736). What loads it
 * there is the container's, and can keep it open until the script has ended. Here it only prints a line.
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { collectSync } from "../../launch/collect.ts";
import { execSpec } from "../../launch/exec.ts";
import { Launcher } from "../../launch/launcher.ts";
import {
  attach,
  bind,
  chroot,
  type Command,
  dieWithParent,
  join,
  mapRoot,
  proc,
  type Recipe,
  recipe,
  sandbox,
  seccomp,
  type Step,
  unshare,
} from "../../mod.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { ramekin } from "../ramekin/support.ts";
import { root, test } from "../support.ts";

const SAYS = "Deno runs in the container";
const REFUSED = "the program could not be started: it is /proc/self/exe";

/** A directory with programs that are Deno: a link, and a script. */
function withTools(body: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o755);
      Deno.symlinkSync("/proc/self/exe", `${directory}/link`);
      const text = `#!/proc/self/exe\nconsole.log("${SAYS}");\n`;
      Deno.writeTextFileSync(`${directory}/script.ts`, text, { mode: 0o755 });
      await body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

const TOOLS = ["link", "script.ts"] as const;
const ENV = { DENO_DIR: "/tmp/nonesuch", DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

/** The arguments with which a tool is Deno. */
function argsOf(tool: typeof TOOLS[number]): string[] {
  return tool === "link" ? ["eval", `console.log("${SAYS}")`] : [];
}

/** The recipe of the container: a user namespace, or root's own. */
const boxes: Readonly<Record<string, Recipe>> = {
  "in a user namespace": recipe(unshare("user", "mount", "pid"), mapRoot(), proc()),
  ...(root && { "as root itself": recipe(unshare("mount", "pid"), proc()) }),
};

/** Launches it as before there was a sealed executable. */
function unsealed(steps: readonly Step[], program: string, args: string[]): string {
  const plan = planRecipe(steps);
  plan.state.entersFiles = false;
  const spec = execSpec(program, {
    args,
    environment: { inherited: [], changes: new Map(Object.entries(ENV)) },
  });
  return String(collectSync(new Launcher(plan).spawn(spec), [], undefined).code);
}

for (const [name, box] of Object.entries(boxes)) {
  test(
    `what enters a container makes Deno no program of it, ${name}`,
    withTools(async (directory) => {
      await using container = box.command("sleep", { args: ["600"], stdin: "null" }).spawn();
      const { pid } = container;
      using attached = attach(pid);
      for (const tool of TOOLS) {
        const program = `${directory}/${tool}`;
        const args = argsOf(tool);
        const options = { args, env: ENV, stdin: "null" } as const;
        assertEquals(unsealed([join(pid, { root: true })], program, args), "0", "the attack");
        const ways: Readonly<Record<string, Command>> = {
          "join(pid, { root: true })": recipe(join(pid, { root: true })).command(program, options),
          "join(pid)": recipe(join(pid)).command(program, options),
          "join(its files)": recipe(
            ...(name === "as root itself" ? [] : [join(`/proc/${pid}/ns/user`)]),
            join(`/proc/${pid}/ns/pid`),
            join(`/proc/${pid}/ns/mnt`),
          ).command(program, options),
          "container.enter()": container.enter(program, options),
          "container.enter() as root": container.enter(program, { ...options, user: "root" }),
          "attach().enter()": attached.enter(program, options),
        };
        for (const [way, command] of Object.entries(ways)) {
          const { code, stdout, stderr } = command.outputSync();
          const said = [code, new TextDecoder().decode(stdout)];
          assertEquals(said, [126, ""], `${tool} by ${way}`);
          assertStringIncludes(new TextDecoder().decode(stderr), REFUSED, way);
        }
        const words = ["enter", "--any", String(pid), "--", program, ...args];
        const { code, stdout, stderr } = await ramekin(...words);
        assertEquals([code, stdout], [126, ""], stderr);
        assertStringIncludes(stderr, REFUSED);
      }
    }),
  );
}

test("a program that enters is found, fails and is restricted as in any launch", async () => {
  const box = sandbox({ read: ["/etc"] });
  await using container = box.command("sleep", { args: ["600"], stdin: "null" }).spawn();
  const missing = container.enter("nonesuch", { env: { PATH: "/bin:/usr/bin" } });
  assertThrows(() => missing.outputSync(), Deno.errors.NotFound, "program not found");
  assertThrows(() => container.enter("/etc/passwd").outputSync(), Error, "/etc/passwd");
  assertThrows(() => container.enter("/etc").outputSync(), Error, "is a directory");
  const { stdout } = container.enter("sh", {
    args: ["-c", "grep Seccomp: /proc/self/status; ls /proc/self/fd; echo $SOUP"],
    env: { SOUP: "leek" },
  }).outputSync();
  assertEquals(new TextDecoder().decode(stdout), "Seccomp:\t2\n0\n1\n2\n3\nleek\n");
});

test(
  "a container with a root of its own that may outlive the script has Deno as no program",
  withTools(async (directory) => {
    const root = recipe(
      unshare("user", "mount"),
      mapRoot(),
      bind("/", "/mnt", { recursive: true }),
      chroot("/mnt"),
    );
    const alive = recipe(unshare("user", "mount", "pid"), ...root.steps.slice(1), proc());
    for (const box of [root, alive.with(dieWithParent(null))]) {
      const program = `${directory}/link`;
      const options = { args: argsOf("link"), env: ENV, stdin: "null" } as const;
      const { code, stderr } = await box.command(program, options).output();
      assertEquals([code, new TextDecoder().decode(stderr).trim()], [126, REFUSED]);
    }
    // One that ends with the script is as fast as before: while that runs, its executable is busy.
    assertEquals(unsealed(alive.steps, `${directory}/link`, argsOf("link")), "0");
  }),
);

test("a filter may deny what executes the sealed executable", async () => {
  const profile = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["execveat", "fcntl"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }],
  } as const;
  const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), seccomp(profile));
  await using container = box.command("sleep", { args: ["600"], stdin: "null" }).spawn();
  const { code, stdout } = container.enter("grep", { args: ["Seccomp:", "/proc/self/status"] })
    .outputSync();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "Seccomp:\t2\n"]);
  assertThrows(() => container.enter("/nonesuch").outputSync(), Deno.errors.NotFound);
});

test("what enters has its filter before the programs of the container can trace it", async () => {
  const profile = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["execveat"], action: "SCMP_ACT_ERRNO" }],
  } as const;
  const box = sandbox();
  await using container = box.command("sleep", { args: ["600"], stdin: "null" }).spawn();
  const target = join(container.pid, { root: true });
  // The sealed executable has no memory of the script's, and so the kernel lets them.
  const order = (...filters: readonly Step[]) =>
    recipe(target, ...filters).plan().entries.map(({ call }) => call)
      .filter((call) => /^(seccomp|execveat)\(/.test(call))
      .map((call) => call.slice(0, call.indexOf("(")));
  assertEquals(order(seccomp()), ["seccomp", "execveat"]);
  assertEquals(order(seccomp({ deny: ["@ipc"] })), ["seccomp", "execveat"]);
  // One that denies what executes it can only come later.
  assertEquals(order(seccomp(profile)), ["execveat", "seccomp"]);
  assertEquals(
    order(seccomp(), seccomp(profile), seccomp()),
    ["seccomp", "execveat", "seccomp", "seccomp"],
  );
  const [first] = container.enter("true").plan().entries
    .filter(({ call }) => /^(seccomp|execveat)\(/.test(call));
  assertEquals(first?.part, "seccomp");
});
