/**
 * `sandbox({ weakerProc: true })` in containers in which parts of /proc are covered: no other procfs
 * can be mounted there (mount_too_revealing() of the kernel).
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  mapCurrentUser,
  maskPaths,
  proc,
  readonlyPaths,
  type Recipe,
  recipe,
  sandbox,
  unshare,
} from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { assertRefused, inside, root, test } from "../support.ts";
import { RAMEKIN } from "../ramekin/support.ts";

/** As Docker and Kubernetes cover it. */
const COVERED = [
  maskPaths("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi"),
  readonlyPaths("/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sysrq-trigger"),
];

const OUTER: Readonly<Record<string, Recipe>> = {
  "a user namespace": recipe(
    unshare("user", "mount", "pid"),
    mapCurrentUser(),
    proc(),
    ...COVERED,
  ),
  ...(root && {
    "the machine's root": recipe(unshare("mount", "pid"), proc(), ...COVERED),
  }),
};

/** Runs a program in a sandbox with these options, in a container; a process runs beside it. */
function runIn(outer: Recipe, options: Record<string, unknown>, script: string): unknown {
  return scriptInside(
    outer,
    `
      const { recipe, sandbox } = ramekin;
      await using beside = recipe()
        .command("env", { args: ["-", "SECRET=soup", "sleep", "600"] }).spawn();
      const options = { args: ["-uc", ${
      JSON.stringify(script)
    }], env: { BESIDE: String(beside.pid) } };
      let result;
      try {
        const { code, stdout, stderr } = sandbox(${JSON.stringify(options)})
          .command("sh", options).outputSync();
        result = [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
      } catch (error) {
        result = [error.code, error.step + ": " + error.message];
      }
      console.log(JSON.stringify(result));
    `,
  );
}

for (const [name, outer] of Object.entries(OUTER)) {
  test(`a sandbox in a container whose /proc is covered, of ${name}`, () => {
    const [code, says] = runIn(outer, {}, "true") as [string, string];
    assertEquals(code, "EPERM");
    assertMatch(says, /^proc: /);
    for (const fix of ["--weaker-proc", "weakerProc", "{ outer: true }"]) {
      assertStringIncludes(says, fix);
    }
    assertEquals(runIn(outer, { weakerProc: true }, "echo soup; test -d /proc/self/fd"), [
      0,
      "soup\n",
    ]);
  });

  test(`what a weaker sandbox sees and cannot do, in one of ${name}`, () => {
    const denied = [
      ...["environ", "mem", "maps"].map((file) => `head -c 1 /proc/$BESIDE/${file}`),
      ...["root", "cwd", "exe", "fd/0"].map((link) => `readlink /proc/$BESIDE/${link}`),
      "ls /proc/$BESIDE/root/",
      "echo 500 > /proc/$BESIDE/oom_score_adj",
      "echo 0 > /proc/$BESIDE/coredump_filter",
      "echo 1 > /proc/self/oom_score_adj",
      "echo 5 > /proc/sys/user/max_user_namespaces",
      "echo h > /proc/sysrq-trigger",
      "kill -0 $BESIDE",
      "unshare -U true",
      "mount -o remount,rw /proc",
      "umount /proc/kcore",
    ];
    const script = `
      tr '\\\\0' ' ' < /proc/$BESIDE/cmdline; echo
      ${denied.map((attempt) => `(${attempt}) 2> /dev/null && echo '${attempt}'`).join("\n")}
      head -c 1 /proc/kcore 2> /dev/null | wc -c
      grep -E '^(CapEff|Seccomp):' /proc/self/status | tr -d '\\\\t\\\\n'
    `.replaceAll("\\\\", "\\");
    const options = { weakerProc: true, read: ["/etc/hosts"] };
    assertEquals(runIn(outer, options, script), [
      0,
      "sleep 600 \n0\nCapEff:0000000000000000Seccomp:2",
    ]);
  });
}

test("the command has it, also with all files", () => {
  const script = (flags: string[]) => `
    const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", ${JSON.stringify(RAMEKIN)}, "sandbox",
        ...${JSON.stringify(flags)}, "--", "sh", "-c", "echo soup; test -d /proc/self/fd"],
    }).outputSync();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    console.log(JSON.stringify([code, text]));`;
  const run = (...flags: string[]) =>
    scriptInside(OUTER["a user namespace"]!, script(flags), "", ["--allow-run"]) as [
      number,
      string,
    ];
  assertStringIncludes(run()[1], "--weaker-proc");
  for (const flags of [[], ["--allow-read"], ["--allow-net=localhost:1"]]) {
    assertEquals(run("--weaker-proc", ...flags), [0, "soup\n"], flags.join(" "));
  }
});

test("a weaker sandbox works where /proc is not covered, too", () => {
  const weaker = sandbox({ weakerProc: true });
  assertEquals(
    inside(weaker, "test -d /proc/self/fd; ls /proc/$PPID > /dev/null; id -u"),
    `${Deno.uid()}`,
  );
  assertEquals(
    inside(sandbox({ weakerProc: true, read: ["/"] }), "ls /sys /proc/sys/kernel/osrelease"),
    "/proc/sys/kernel/osrelease\n\n/sys:",
  );
});

test("what cannot be combined with it is refused", () => {
  for (const read of [["/sys/class"], ["/", "/sys"]]) {
    assertRefused(() => sandbox({ read, weakerProc: true }), { says: '"weakerProc"' });
  }
  assertRefused(() => recipe(proc("/proc", { outer: true, options: "hidepid=2" })), {
    step: "proc",
    says: '"outer"',
  });
  assertRefused(
    () => recipe(unshare("mount", "pid"), proc(), proc("/mnt", { outer: true })),
    { step: "proc", at: 2, says: "covered" },
  );
  assertRefused(() => recipe(proc("/proc", { outer: true })), { says: 'unshare("mount")' });
});
