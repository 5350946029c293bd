/** `setEnv`, `umask`, `rlimit`, `newSession` and `dieWithParent`. */

import { assertEquals, assertNotEquals } from "@std/assert";
import {
  CAPABILITIES,
  chdir,
  clearEnv,
  dieWithParent,
  newSession,
  recipe,
  type ResourceName,
  rlimit,
  RLIMITS,
  sandbox,
  setEnv,
  umask,
} from "../../mod.ts";
import { assertFails, assertRefused, inside, test, testOn } from "../support.ts";

testOn([], "setEnv sets variables, and later ones come over earlier ones", (mounts) => {
  const box = mounts.with(setEnv({ A: "1", B: "x=y z\nü", EMPTY: "" }), setEnv({ A: "2" }));
  assertEquals(inside(box, 'echo "$A|$B|${EMPTY-unset}"'), "2|x=y z\nü|");
});

test("the command's variables override setEnv, and setEnv the script's", () => {
  const box = recipe(setEnv({ A: "recipe", B: "recipe", HOME: "recipe" }));
  const { stdout } = box.command("sh", {
    args: ["-c", 'echo "$A $B $HOME"'],
    env: { A: "command" },
  }).outputSync();
  assertEquals(new TextDecoder().decode(stdout), "command recipe recipe\n");
});

test("a command with clearEnv keeps the variables of the recipe", () => {
  const { stdout } = recipe(setEnv({ A: "1" })).command("env", { clearEnv: true }).outputSync();
  assertEquals(new TextDecoder().decode(stdout), "A=1\n");
});

test("clearEnv keeps all variables that begin as one with a star says", () => {
  for (const name of ["RAMEKIN_A", "RAMEKIN_B", "RAMEKI"]) Deno.env.set(name, name);
  try {
    const kept = (...keep: string[]) => inside(recipe(clearEnv({ keep })), "env | grep RAM | sort");
    assertEquals(kept("RAMEKIN_*"), "RAMEKIN_A=RAMEKIN_A\nRAMEKIN_B=RAMEKIN_B");
    assertEquals(kept("RAMEKIN_A*", "R"), "RAMEKIN_A=RAMEKIN_A");
    const set = recipe(clearEnv({ keep: ["RAMEKIN_*"] }), setEnv({ RAMEKIN_A: "mine" }));
    assertEquals(inside(set, "echo $RAMEKIN_A"), "mine");
    assertEquals(
      inside(sandbox({ env: ["RAMEKIN_*"] }), "echo $RAMEKIN_B $HOME"),
      "RAMEKIN_B /tmp",
    );
  } finally {
    for (const name of ["RAMEKIN_A", "RAMEKIN_B", "RAMEKI"]) Deno.env.delete(name);
  }
  for (const pattern of ["A*B", "*A", "A=*", "A**"]) {
    const make = () => recipe(clearEnv({ keep: [pattern] }));
    assertRefused(make, { step: "clearEnv", at: 0, says: '"AWS_*" for all that begin so' });
  }
});

test("the program is looked up in the PATH of setEnv", () => {
  const box = recipe(setEnv({ PATH: "/no/where:/usr/bin:/bin" }));
  assertEquals(inside(box, "echo $PATH"), "/no/where:/usr/bin:/bin");
});

test("invalid variables are refused", () => {
  const cases: [Record<string, string>, string][] = [
    [{ "": "x" }, "is empty"],
    [{ "A=B": "x" }, 'must not contain "="'],
    [{ A: "x\0" }, "NUL"],
    [{ A: 5 as never }, "should be a string"],
    [["A=B"] as never, "should be an object"],
  ];
  for (const [variables, says] of cases) {
    assertRefused(() => recipe(setEnv(variables)), { step: "setEnv", at: 0, says });
  }
});

testOn([], "umask holds in the container, and not for the script", (mounts) => {
  const before = Deno.umask();
  assertEquals(inside(mounts.with(umask(0o027)), "umask"), "0027");
  assertEquals(recipe(umask("027" as never)).steps, [umask(0o027)]);
  assertEquals(Deno.umask(), before);
});

test("an invalid umask is refused", () => {
  for (const wrong of [-1, 0o1000, "none" as never]) {
    assertRefused(() => recipe(umask(wrong)), { step: "umask", at: 0, says: "whole number" });
  }
  assertRefused(() => recipe(umask(22)), { step: "umask", at: 0, says: 'write 0o22, or "022"' });
});

/** The lines of /proc/PID/limits, by the names of the resources. */
const LIMITS: Readonly<Record<ResourceName, string>> = {
  cpu: "Max cpu time",
  fsize: "Max file size",
  data: "Max data size",
  stack: "Max stack size",
  core: "Max core file size",
  rss: "Max resident set",
  nproc: "Max processes",
  nofile: "Max open files",
  memlock: "Max locked memory",
  as: "Max address space",
  locks: "Max file locks",
  sigpending: "Max pending signals",
  msgqueue: "Max msgqueue size",
  nice: "Max nice priority",
  rtprio: "Max realtime priority",
  rttime: "Max realtime timeout",
};

function readLimit(limits: string, resource: ResourceName): string[] {
  const line = limits.split("\n").find((line) => line.startsWith(LIMITS[resource]))!;
  return line.slice(LIMITS[resource].length).trim().split(/\s+/).slice(0, 2);
}

test("every resource of the kernel has a name", () => {
  assertEquals(
    Object.keys(RLIMITS).map((name) => name.toLowerCase()).toSorted(),
    Object.keys(LIMITS).toSorted(),
  );
});

testOn([], "every resource can be limited, and the script's limits stay", (mounts) => {
  const before = Deno.readTextFileSync("/proc/self/limits");
  for (const resource of Object.keys(LIMITS) as ResourceName[]) {
    const ceiling = readLimit(before, resource)[1]!;
    const hard = ceiling === "unlimited" ? 2 ** 40 : Number(ceiling);
    const soft = Math.floor(hard / 2);
    const limited = mounts.with(rlimit(resource, soft, hard));
    assertEquals(
      readLimit(inside(limited, "cat /proc/self/limits"), resource),
      [soft, hard].map(String),
      resource,
    );
  }
  assertEquals(Deno.readTextFileSync("/proc/self/limits"), before);
});

testOn([], "a program may have fewer open files than the script has", (mounts) => {
  const box = mounts.with(rlimit("nofile", 4), chdir("/usr"));
  const { stdout } = box.command("sh", { args: ["-c", "ulimit -n; pwd"], cwd: "bin" }).outputSync();
  const [limit, directory] = new TextDecoder().decode(stdout).split("\n");
  assertEquals(limit, "4");
  assertEquals(directory!.startsWith("/usr/"), true);
});

testOn([], "a limit can be taken away where the ceiling allows it", (mounts) => {
  const box = mounts.with(rlimit("core", 0, "unlimited"), rlimit("core", "unlimited"));
  assertEquals(readLimit(inside(box, "cat /proc/self/limits"), "core"), ["unlimited", "unlimited"]);
});

testOn([], "a limit is enforced", (mounts) => {
  const file = Deno.makeTempFileSync();
  const { success, signal } = mounts.with(rlimit("fsize", 10)).command("sh", {
    args: ["-c", `exec head -c 99 /dev/zero > ${file}`],
  }).outputSync();
  Deno.removeSync(file);
  assertEquals([success, signal], [false, "SIGXFSZ"]);
});

/** Root may lack CAP_SYS_RESOURCE, as in many containers. */
const effective = Deno.readTextFileSync("/proc/self/status").match(/CapEff:\s+(\w+)/)![1];
const mayRaise = (BigInt(`0x${effective}`) >> BigInt(CAPABILITIES.CAP_SYS_RESOURCE) & 1n) === 1n;

test("a hard limit is raised with CAP_SYS_RESOURCE", () => {
  const box = recipe(rlimit("core", 0, 0), rlimit("core", 1, 2));
  assertEquals(readLimit(inside(box, "cat /proc/self/limits"), "core"), ["1", "2"]);
}, mayRaise ? undefined : "needs CAP_SYS_RESOURCE");

test("a hard limit cannot be raised without CAP_SYS_RESOURCE, and the error says so", () => {
  assertFails(recipe(rlimit("core", 0, 0), rlimit("core", 1, 2)), {
    step: "rlimit",
    at: 1,
    code: "EPERM",
    says: "CAP_SYS_RESOURCE",
  });
}, mayRaise ? "is about users without CAP_SYS_RESOURCE" : undefined);

test("invalid limits are refused", () => {
  const cases: [Parameters<typeof rlimit>, string][] = [
    [["nofiles" as never, 1], 'did you mean "nofile"?'],
    [["nofile", 2, 1], 'greater than "hard"'],
    [["nofile", "unlimited", 1], 'greater than "hard"'],
    [["nofile", -1], "should be"],
    [["nofile", 1.5], "should be"],
    [["nofile", "infinity" as never], "should be"],
  ];
  for (const [args, says] of cases) {
    assertRefused(() => recipe(rlimit(...args)), { step: "rlimit", at: 0, says });
  }
});

testOn([], "a new session has the program as its leader, and no terminal", (mounts) => {
  const script = "cut -d ' ' -f 1,6,7 /proc/$$/stat | sed 's/([^)]*)//'; echo $$";
  const [stat, pid] = inside(mounts.with(newSession()), script).split("\n") as [string, string];
  assertEquals(stat, `${pid} ${pid} 0`);
  const [without] = inside(mounts, script).split("\n") as [string];
  assertNotEquals(without.split(" ")[1], without.split(" ")[0]);
});

test("a second newSession is reported", () => {
  assertFails(recipe(newSession(), newSession()), {
    step: "newSession",
    at: 1,
    code: "EPERM",
    says: "is a session leader already",
  });
});

test("dieWithParent takes signals by name, and null", () => {
  for (const signal of ["SIGTERM", "SIGKILL", null] as const) {
    assertEquals(inside(recipe(dieWithParent(signal)), "echo soup"), "soup");
  }
  assertRefused(() => recipe(dieWithParent("SIGTREM" as never)), {
    step: "dieWithParent",
    at: 0,
    says: 'did you mean "SIGTERM"?',
  });
});
