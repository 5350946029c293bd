/** Every step, in a box: it does what it does in a script, or is refused with the reason. */

import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { buildBox } from "../../box/mod.ts";
import {
  address,
  bind,
  chroot,
  type Container,
  landlock,
  limits,
  linux,
  mapRoot,
  masquerade,
  mount,
  overlay,
  pivotRoot,
  protect,
  publish,
  type Recipe,
  recipe,
  RecipeError,
  route,
  seccomp,
  type Step,
  symlink,
  SyscallError,
  tmpfs,
  unshare,
  UnsupportedError,
  veth,
} from "../../mod.ts";
import { HUB, STEP_RECIPES } from "../faults/step_recipes.ts";
import { root, test } from "../support.ts";
import { BoxFile } from "./support.ts";

/** What a box makes of a step: the container, or a refusal with these words. */
const STEPS: Readonly<Record<Step["step"], "built" | string>> = {
  address: "built",
  bind: "built",
  bounds: "built",
  bridge: "built",
  capabilities: "built",
  chdir: "built",
  chroot: "built",
  clearEnv: "built",
  cpuAffinity: "built",
  denyFiles: "built",
  devices: "built",
  dieWithParent: "built",
  disableUserNamespaces: "built",
  domainname: "built",
  dummy: "built",
  hostname: "built",
  init: "built",
  ioPriority: "built",
  join: "a process is known by its pid only while it runs",
  joinCgroup: "the script opens files",
  landlock: "built",
  limits: "built",
  loopback: "built",
  macvlan: "built",
  mapCurrentUser: "built",
  mapIds: "built",
  mapRoot: "built",
  maskPaths: "built",
  masquerade: "as long as a script runs",
  memoryPolicy: "built",
  mkdir: "built",
  mknod: "built",
  mount: "built",
  moveInterface: "built",
  mqueue: "built",
  newSession: "built",
  noNewPrivileges: "built",
  oomScoreAdj: "built",
  overlay: "built",
  personality: "built",
  pivotRoot: "built",
  proc: "built",
  programs: "the libraries of programs",
  propagation: "built",
  protect: "built",
  proxy: "a box cannot pass connections on",
  publish: "a script that runs beside",
  readonlyPaths: "built",
  remount: "built",
  rlimit: "built",
  root: "built",
  route: "built",
  scheduler: "built",
  seccomp: "built",
  setEnv: "built",
  setUser: "built",
  symlink: "built",
  sysctl: "built",
  sysfs: "built",
  timeOffset: "built",
  tmpfs: "built",
  umask: "built",
  unmount: "built",
  unshare: "built",
  userNetwork: "a program has to forward",
  veth: "built",
  writeFile: "built",
};

const mounts = (...steps: Step[]) => recipe(unshare("user", "mount"), mapRoot(), ...steps);
const usr = [
  bind("/usr", "/mnt/usr", { readOnly: true }),
  ...["bin", "lib", "lib64"].map((name) => symlink(`usr/${name}`, `/mnt/${name}`)),
];
const wired = recipe(unshare("user", "net"), mapRoot(), unshare("net"), veth("eth0"));

/** Recipes of a box, where those of the faults join a container or bring programs. */
const OTHERS: Partial<Record<Step["step"], Recipe>> = {
  chroot: mounts(tmpfs("/mnt"), ...usr, chroot("/mnt")),
  pivotRoot: mounts(tmpfs("/mnt"), ...usr, pivotRoot("/mnt")),
  limits: recipe(unshare("user", "pid"), mapRoot(), limits({ pids: 50 })),
  masquerade: recipe(unshare("net"), masquerade("10.1.0.0/24")),
  publish: recipe(unshare("net"), publish(8080, { address: "10.1.0.2" })),
  route: wired.with(
    address("eth0", "10.0.0.1/24"),
    route("default", { via: "10.0.0.2" }),
  ),
  veth: wired,
};

test("every step is built, and does what it does in a script, or is refused", async () => {
  await using hub = HUB.command("sleep", { args: ["infinity"] }).spawn();
  for (const [step, outcome] of Object.entries(STEPS) as [Step["step"], string][]) {
    if (outcome !== "built") assertRefused(step, outcome, hub);
    else await assertSame(step, OTHERS[step] ?? STEP_RECIPES[step](hub));
  }
});

function assertRefused(step: Step["step"], says: string, hub: Container): void {
  const box = OTHERS[step] ?? STEP_RECIPES[step](hub);
  for (const user of ["user", "root"] as const) {
    // An ordinary user may not change the host's network, which a script is told too.
    if (user === "user" && (step === "masquerade" || step === "publish")) continue;
    try {
      buildBox(box, { for: user });
    } catch (error) {
      assertInstanceOf(error, RecipeError);
      assertEquals(error.step, step, error.message);
      assertStringIncludes(error.message, says);
      continue;
    }
    throw new Error(`${step} is built for ${user}`);
  }
}

const BOTH = ["user", "root"] as const;

/** Compares the exit status of /bin/true, and the errno of a call that fails. */
async function assertSame(step: Step["step"], container: Recipe): Promise<void> {
  const there = outcomeOf(container);
  // Root maps any ids itself, and an ordinary user's box does it by newuidmap and /etc/subuid.
  const users = !root ? ["user"] as const : step === "mapIds" ? ["root"] as const : BOTH;
  for (const user of users) {
    using box = new BoxFile(container, { program: ["/bin/true"], for: user });
    const { code, stderr } = await box.run();
    if (there === undefined) {
      assertEquals({ code, stderr }, { code: 0, stderr: "" }, `${step}, for ${user}`);
      continue;
    }
    assertEquals(code, 125, `${step}, for ${user}: ${stderr}`);
    assertStringIncludes(stderr, there);
  }
}

/** Returns the errno of a launch from this script; `undefined` if it succeeds. */
function outcomeOf(container: Recipe): string | undefined {
  try {
    assertEquals(container.command("/bin/true").outputSync().code, 0);
    return undefined;
  } catch (error) {
    if (error instanceof SyscallError) return error.code;
    if (error instanceof UnsupportedError) return "";
    throw error;
  }
}

test("no step's box is built by asking this machine", async () => {
  // Without --allow-ffi the engine cannot be loaded, so a call that it would make is an error.
  await using hub = HUB.command("sleep", { args: ["infinity"] }).spawn();
  const recipes = (Object.keys(STEPS) as Step["step"][])
    .map((step) => ({ step, steps: (OTHERS[step] ?? STEP_RECIPES[step](hub)).steps }));
  const script = `
    import { buildBox } from "${new URL("../../box/mod.ts", import.meta.url).href}";
    for (const { step, steps } of ${JSON.stringify(recipes)}) {
      for (const architecture of ["x86_64", "aarch64"]) {
        for (const who of ["user", "root"]) {
          try {
            console.log(step, buildBox({ steps }, { architecture, for: who }).length > 0);
          } catch (error) {
            console.log(step, error.name);
          }
        }
      }
    }`;
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    Deno.writeTextFileSync(path, script);
    const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-config", "--no-prompt", "--quiet", path],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(lines.length, recipes.length * 4);
    for (const line of lines) assert(/ (true|RecipeError)$/.test(line), line);
  } finally {
    Deno.removeSync(path);
  }
});

test("what depends on the machine is refused with the step and a way", () => {
  const refused = (container: Recipe, says: string, at: number, who: "root" | "user" = "user") => {
    try {
      buildBox(container, { for: who });
    } catch (error) {
      assertInstanceOf(error, RecipeError);
      assertStringIncludes(error.message, says);
      assertEquals(error.stepIndex, at);
      return;
    }
    throw new Error("it is built");
  };
  refused(mounts(bind("relative", "/mnt")), "begin with /", 2);
  refused(mounts(bind("/usr/../etc", "/mnt")), 'without ".."', 2);
  refused(mounts(bind("/", "/mnt", { untrusted: true })), "name the directories", 2);
  refused(mounts(bind("/srv", "/mnt"), protect("/srv", "/mnt")), "is shown at / too", 3);
  refused(
    recipe(
      unshare("mount"),
      mount("none", "/mnt", { type: "tmpfs" }),
      overlay("/mnt/o", {
        lower: ["/etc"],
        discard: true,
      }),
    ),
    "mapRoot() before it",
    2,
    "root",
  );
  for (const kind of ["mount", "net", "pid", "uts", "ipc", "cgroup", "time"] as const) {
    refused(recipe({ step: "umask", mask: 0o22 }, unshare(kind)), "build it with --for=root", 1);
    buildBox(recipe(unshare(kind)), { for: "root" });
    buildBox(recipe(unshare("user"), mapRoot(), unshare(kind)));
  }
});

test("Landlock without degrade fails where the kernel has none, and is as strong as in a script", async () => {
  const container = recipe(landlock({ read: ["/"], execute: ["/"] }));
  using box = new BoxFile(container);
  const there = outcomeOf(container);
  const { code, stderr } = await box.run(["sh", "-c", "echo > /tmp/landlocked"]);
  if (there === undefined) assertStringIncludes(stderr, "Permission denied");
  else assertEquals(code, 125, stderr);
});

test("Landlock with degrade is left out where the kernel has none, and hands on no descriptor", async () => {
  using box = new BoxFile(recipe(landlock({ isolate: ["abstractSockets"], degrade: true })));
  const calls = ["landlock_create_ruleset", "landlock_restrict_self"];
  for (const errnoRet of [ENOSYS, EOPNOTSUPP]) {
    for (const names of [calls, calls.slice(0, 1)]) {
      const kernel = recipe(seccomp({
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names, action: "SCMP_ACT_ERRNO", errnoRet }],
      }));
      // What the caller has open takes the number that the ruleset would have.
      using directory = linux.open("/", linux.O_DIRECTORY);
      const fds = { 3: directory.number, 4: directory.number };
      const args = ["sh", "-c", "test ! -e /proc/self/fd/3 -a ! -e /proc/self/fd/4"];
      const { code, stderr } = await kernel.command(box.path, { args, fds }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
    }
  }
});

const [ENOSYS, EOPNOTSUPP] = [38, 95];
