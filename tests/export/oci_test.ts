/** Bundles: what runtimes make of them is what the recipe makes, and they come back. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { exportOci, importOci } from "../../export/mod.ts";
import {
  bind,
  capabilities,
  chdir,
  clearEnv,
  devices,
  hostname,
  init,
  limits,
  loopback,
  mapRoot,
  maskPaths,
  mkdir,
  newSession,
  pivotRoot,
  proc,
  readonlyPaths,
  type Recipe,
  recipe,
  RecipeError,
  remount,
  rlimit,
  root as rootDirectory,
  seccomp,
  setEnv,
  setUser,
  type Step,
  symlink,
  sysctl,
  timeOffset,
  tmpfs,
  umask,
  unshare,
  writeFile,
} from "../../mod.ts";
import { exampleConfig } from "../../oci/verbs/spec.ts";
import { decode } from "../other_scripts.ts";
import { notRoot, root, test } from "../support.ts";
import { noBusybox, without, withRoot, writeBundle } from "./support.ts";

const KINDS = ["user", "mount", "pid", "uts", "ipc", "net"] as const;

/** A recipe with a directory as its root, and one with a root in memory. */
function recipes(directory: string): Readonly<Record<string, Recipe>> {
  return {
    directory: recipe(
      unshare(...KINDS),
      mapRoot(),
      loopback(),
      hostname("kitchen"),
      rootDirectory(`${directory}/root`, {
        readOnly: true,
        hosts: { db: "10.0.0.1" },
        volumes: { "/mnt": { source: `${directory}/root/bin`, readOnly: true } },
      }),
      maskPaths("/proc/kcore"),
      sysctl({ "net.ipv4.ip_forward": 1 }),
      readonlyPaths("/proc/sys"),
      rlimit("nofile", 100, 200),
      umask(0o27),
      capabilities({ keep: ["CAP_CHOWN"] }),
      seccomp({ deny: ["@setuid-files"] }),
      clearEnv(),
      setEnv({ PATH: "/bin", DISH: 'a %dish $of "soup"', HOME: "/" }),
      chdir("/tmp"),
    ),
    memory: recipe(
      unshare(...KINDS),
      mapRoot(),
      loopback(),
      hostname("kitchen"),
      tmpfs("/proc", { mode: 0o755 }),
      mkdir("/proc/etc"),
      writeFile("/proc/etc/hosts", "10.0.0.2 db\n"),
      bind(`${directory}/root/bin`, "/proc/bin", { readOnly: true }),
      tmpfs("/proc/tmp", { size: "1m" }),
      devices("/proc/dev"),
      proc("/proc/proc"),
      pivotRoot("/proc"),
      remount("/", "ro,nosuid,nodev"),
      umask(0o22),
      clearEnv(),
      setEnv({ PATH: "/bin", HOME: "/" }),
    ),
  };
}

const SCRIPT = `id; hostname; pwd; umask; ulimit -n; ulimit -Hn; env | sort; cat /etc/hosts
grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status
cat /dev/null /proc/kcore; cat /proc/sys/net/ipv4/ip_forward
busybox ls -a / /etc /mnt /bin | grep -v '^total'
echo x > /tmp/x && cat /tmp/x; echo x > /etc/y; echo x > /mnt/y; echo 0 > /proc/sys/net/ipv4/ip_forward
busybox chmod u+s /tmp/x; mount -t tmpfs none /tmp
busybox ping -c 1 -W 1 127.0.0.1 | busybox head -n 1
exit 3`;

const PROGRAM = ["/bin/busybox", "sh", "-c", SCRIPT] as const;

/** What a program has written, and how it has ended. */
function outcome(command: { outputSync(): Deno.CommandOutput }): readonly [string, number] {
  const { code, stdout, stderr } = command.outputSync();
  return [decode(stdout) + decode(stderr), code];
}

/**
 * The commands that run a bundle. Of control groups crun wants one kind alone, so that it is shown none;
 * in a user namespace as an ordinary user, who is root in it.
 */
const ROOT_HERE = root
  ? recipe(unshare("mount"), tmpfs("/sys/fs/cgroup"))
  : recipe(unshare("user", "mount"), mapRoot(), tmpfs("/sys/fs/cgroup"));

const RUNTIMES: Readonly<
  Record<
    string,
    { run(state: string, bundle: string): readonly [string, number]; skip?: string | undefined }
  >
> = {
  crun: {
    skip: without("/usr/bin/crun", "/usr/sbin/crun"),
    run: (state, bundle) =>
      outcome(ROOT_HERE.command("crun", {
        args: ["--root", state, "--cgroup-manager=disabled", "run", "--bundle", bundle, "one"],
        stdin: "null",
      })),
  },
  runc: {
    skip: notRoot ?? without("/usr/bin/runc", "/usr/sbin/runc"),
    run: (state, bundle) =>
      outcome(
        new Deno.Command("runc", {
          args: ["--root", state, "run", "--bundle", bundle, `ramekin-export-${Deno.pid}`],
          stdin: "null",
        }),
      ),
  },
  "the recipe that it is imported as": {
    run: (_state, bundle) => {
      const text = Deno.readTextFileSync(`${bundle}/config.json`);
      const { steps, program: [program, ...args] } = importOci(text, { bundle });
      return outcome(recipe(...steps).command(program!, { args, stdin: "null" }));
    },
  },
  "the runtime of Ramekin": {
    run: (state, bundle) =>
      outcome(
        new Deno.Command(Deno.execPath(), {
          args: [
            ...[
              "run",
              "-A",
              "--no-check",
              new URL("../../scripts/oci.ts", import.meta.url).pathname,
            ],
            ...["--root", state, "--cgroup-manager=disabled", "run", "--bundle", bundle, "one"],
          ],
          stdin: "null",
        }),
      ),
  },
};

for (const [name, { run, skip }] of Object.entries(RUNTIMES)) {
  test(
    `what a bundle does is what its recipe does: ${name}`,
    withRoot((directory) => {
      // In the user namespace in which crun runs, the caller is root.
      const isRoot = root || name === "crun";
      const runner = isRoot ? "root" : { uid: Deno.uid()!, gid: Deno.gid()! };
      for (const [kind, made] of Object.entries(recipes(directory))) {
        const [program, ...args] = PROGRAM;
        const expected = outcome(made.command(program, { args, stdin: "null" }));
        const bundle = `${directory}/${kind}`;
        const { files } = exportOci(made, { program: [...PROGRAM], for: runner, bundle });
        writeBundle(bundle, files);
        const [text, code] = run(`${directory}/state-${kind}`, bundle);
        // crun makes a link for debuggers.
        assertEquals([text, code], [...expected]);
        assertEquals(code, 3);
      }
    }),
    noBusybox ?? skip,
  );
}

test("a bundle has the last word of files, and none that lie behind links or above it", () => {
  const made = (...files: Step[]) =>
    exportOci(
      recipe(
        unshare("user", "mount"),
        mapRoot(),
        tmpfs("/mnt"),
        ...files,
        devices("/mnt/dev"),
        pivotRoot("/mnt"),
        remount("/", "ro"),
        clearEnv(),
      ),
      { program: ["/bin/id"] },
    ).files.slice(2);
  assertEquals(
    made(
      writeFile("/mnt/a/b", "old"),
      mkdir("/mnt/a"),
      mkdir("/mnt/a", { mode: 0o700 }),
      writeFile("/mnt/a/b", "new", { mode: 0o600 }),
      symlink("a", "/mnt/c"),
    ),
    [
      { path: "rootfs/a", type: "directory", mode: 0o700 },
      { path: "rootfs/a/b", type: "file", text: "new", mode: 0o600 },
      { path: "rootfs/c", type: "symlink", text: "a" },
    ],
  );
  const refused = (says: string, at: number, ...files: Step[]) => {
    const error = assertThrows(() => made(...files), RecipeError, says);
    assertEquals(error.stepIndex, at);
  };
  const link = symlink("/etc", "/mnt/etc");
  refused("/etc is a link of this recipe", 4, link, writeFile("/mnt/etc/passwd", ""));
  refused("/etc is a link of this recipe", 4, link, mkdir("/mnt/etc/a/b"));
  // What a stranger's recipe has written would run as root, for every user of the machine.
  refused("set-user-ID", 3, writeFile("/mnt/tool", "", { mode: 0o4755 }));
  refused("set-group-ID", 3, writeFile("/mnt/tool", "", { mode: 0o2755 }));
  refused("/etc is there already", 4, link, writeFile("/mnt/etc", ""));
  refused("/a is a file of this recipe", 4, writeFile("/mnt/a", ""), mkdir("/mnt/a/b"));
  refused('must not contain ".."', 3, writeFile("/mnt/../../etc/passwd", ""));
  refused('must not contain ".."', 3, mkdir("/mnt/a/../../../x"));
});

/** A bundle's config.json goes to a recipe and comes back. */
function assertComesBack(text: string, program: readonly string[], bundle: string): void {
  const imported = importOci(text, { bundle });
  assertEquals(imported.program, [...program]);
  const { config, files } = exportOci(recipe(...imported.steps), {
    program: [program[0]!, ...program.slice(1)],
    for: { uid: 1000, gid: 1000 },
    bundle,
    terminal: imported.terminal,
  });
  const { root: given, ...others } = JSON.parse(text);
  const path = given.path.startsWith("/") ? given.path : `${bundle}/${given.path}`;
  assertEquals(JSON.parse(JSON.stringify(config)), { ...others, root: { ...given, path } });
  assertEquals(importOci(files[0]!.text!, { bundle }), imported);
}

test("config.json becomes a recipe, and that the same config.json", () => {
  const caller = { for: { uid: 1000, gid: 1000 }, bundle: "/srv/bundle" } as const;
  const more = recipe(
    unshare("user", "mount", "pid", "uts", "ipc", "net", "time", "cgroup"),
    mapRoot(),
    timeOffset({ monotonic: 1.5, boottime: -3 }),
    rootDirectory("/srv/root", { volumes: { "/data": { source: "/srv/data" } } }),
    rlimit("core", 0, "unlimited"),
    limits({
      memory: "64m",
      swap: "1m",
      memoryHigh: "32m",
      cpus: 1.5,
      cpuWeight: 50,
      pids: 10,
      cpuset: "0-1",
      io: [{ device: "8:0", readBps: "1m", writeIops: "unlimited" }],
    }),
    setUser({ uid: 0, groups: [] }),
    seccomp(),
    newSession(),
    clearEnv(),
    setEnv({ PATH: "/bin" }),
  );
  for (const made of [...Object.values(recipes("/srv")), more]) {
    const { files } = exportOci(made, { program: [...PROGRAM], ...caller });
    assertComesBack(files[0]!.text!, PROGRAM, "/srv/bundle");
  }
});

test("numbers of 64 bits are written whole", () => {
  const value = "0xffffffff00000000";
  const made = recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    rootDirectory("/srv/root"),
    rlimit("core", 0, "unlimited"),
    seccomp({
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{
        names: ["ioctl"],
        action: "SCMP_ACT_ERRNO",
        args: [{ index: 1, op: "SCMP_CMP_GT", value }],
      }],
    }),
    clearEnv(),
  );
  const { files } = exportOci(made, { program: ["/bin/id", '"hard": 18446744073709552000'] });
  const text = files[0]!.text!;
  assertStringIncludes(text, '"hard": 18446744073709551615');
  assertStringIncludes(text, `"value": ${BigInt(value)}`);
  const { steps, program } = importOci(text, { bundle: "/srv" });
  assertEquals(program[1], '"hard": 18446744073709552000');
  assertEquals(steps.find(({ step }) => step === "rlimit"), made.steps[3]);
  assertStringIncludes(JSON.stringify(steps), value);
});

test("the config.json of a runtime is imported, and what no step says is refused", () => {
  const text = JSON.stringify({
    ...exampleConfig(false),
    annotations: { kitchen: "yes" },
    hooks: { poststop: [{ path: "/bin/true" }] },
  });
  const error = assertThrows(() => importOci(text, { bundle: "/srv" }), RecipeError);
  for (const field of ["hooks", "annotations", "mounts[6]", "linux.resources.devices"]) {
    assertStringIncludes(error.message, `${field}: `);
  }
  const leaveOut = ["hooks", "annotations", "mounts", "linux.resources"];
  const { steps, program, terminal } = importOci(text, { bundle: "/srv", leaveOut });
  assertEquals([program, terminal], [["sh"], true]);
  const { config } = exportOci(recipe(...steps), { program: ["sh"], terminal: true });
  const { mounts, root: given, hostname, linux, process } = exampleConfig(false);
  assertEquals(
    config["mounts"],
    mounts!.filter(({ type }) => type !== "cgroup").map((mount) => ({
      ...mount,
      options: mount.options ?? [],
    })),
  );
  assertEquals(config["root"], { ...given, path: "/srv/rootfs" });
  assertEquals(config["hostname"], hostname);
  const written = config as { linux: typeof linux; process: typeof process };
  assertEquals(new Set(written.linux?.namespaces), new Set(linux?.namespaces));
  assertEquals(written.linux?.maskedPaths, linux?.maskedPaths);
  assertEquals(written.linux?.readonlyPaths, linux?.readonlyPaths);
  assertEquals(written.process?.capabilities?.bounding, process?.capabilities?.bounding);
  assertEquals(written.process?.rlimits, process?.rlimits);
});

test("what a recipe lacks or has too much is refused at once, by the number of each step", () => {
  const made = recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    tmpfs("/mnt"),
    tmpfs("/srv"),
    init(),
    pivotRoot("/mnt"),
  );
  const error = assertThrows(() => exportOci(made, { program: ["id"] }), RecipeError);
  assertEquals([error.step, error.stepIndex], ["tmpfs", 3]);
  for (
    const says of [
      "step 4 (tmpfs): /srv is outside of /mnt",
      "step 5 (init): ",
      "clearEnv()",
      'remount("/", "ro")',
      'devices("/dev")',
    ]
  ) {
    assertStringIncludes(error.message, says);
  }
  assertThrows(() => exportOci(made, { program: [""] }), TypeError, "a bundle needs a program");
  const bare = recipe(unshare("mount", "pid"), rootDirectory("/srv"), clearEnv());
  const user = { program: ["/bin/id"], for: { uid: 1000, gid: 1000 } } as const;
  assertThrows(
    () => exportOci(bare, { ...user, program: ["/bin/id"] }),
    RecipeError,
    "it takes root",
  );
  assertThrows(() => exportOci(bare, { program: ["id"] }), RecipeError, "PATH");
  assert(exportOci(bare, { program: ["/bin/id"] }).files.length === 1);
});

/** A config.json with most of the fields that a recipe has. */
const WHOLE = {
  root: { path: "rootfs", readonly: true },
  hostname: "kitchen",
  process: {
    terminal: false,
    user: { uid: 0, gid: 0, umask: 18 },
    args: ["sh"],
    env: ["A=b"],
    cwd: "/",
    capabilities: { bounding: ["CAP_KILL"], effective: [], ambient: [] },
    rlimits: [{ type: "RLIMIT_NOFILE", soft: 10, hard: 10 }],
    noNewPrivileges: true,
    oomScoreAdj: 10,
    scheduler: { policy: "SCHED_BATCH", nice: 1 },
  },
  mounts: [{ destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] }],
  linux: {
    namespaces: [{ type: "pid" }, { type: "mount" }, { type: "uts" }],
    uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
    gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
    seccomp: {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{
        names: ["kexec_load"],
        action: "SCMP_ACT_ERRNO",
        args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }],
      }],
    },
    maskedPaths: ["/proc/kcore"],
    devices: [{ path: "/dev/fuse", type: "c", major: 10, minor: 229, uid: 0 }],
    resources: { memory: { limit: 1_000_000 }, pids: { limit: 10 } },
  },
};

test("a field of another kind is refused by its name, and null is none", () => {
  const ODD = [true, 5, -1.5, "x", [], {}, [null], [5], { a: 1 }];
  const importWhole = () => importOci(JSON.stringify(WHOLE), { bundle: "/srv" });
  importWhole();
  const tryFields = (node: Record<string, unknown>, path: string) => {
    for (const [name, kept] of Object.entries(node)) {
      for (const odd of [null, ...ODD]) {
        node[name] = odd;
        try {
          importWhole();
        } catch (error) {
          const what = `${path}${name} = ${JSON.stringify(odd)}`;
          assertInstanceOf(error, RecipeError, `${what}: ${error}`);
          assertStringIncludes(error.message, name, what);
        }
      }
      node[name] = kept;
      if (typeof kept === "object") {
        tryFields(kept as Record<string, unknown>, `${path}${name}.`);
      }
    }
  };
  tryFields(WHOLE, "");
  const issue = (config: unknown) =>
    assertThrows(() => importOci(JSON.stringify(config), { bundle: "/srv" }), RecipeError).message;
  const { process, linux } = WHOLE;
  assertEquals(
    issue({ ...WHOLE, process: { ...process, args: 5 } }),
    "process.args: expected a list, got 5",
  );
  assertEquals(
    issue({ ...WHOLE, linux: { ...linux, namespaces: [{ type: "pid" }, {}] } }),
    "linux.namespaces[1].type: it is missing",
  );
});
