/** Recipes with permissions, and attempts to get around them. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  bind,
  capabilities,
  clearEnv,
  devices,
  dieWithParent,
  init,
  linux,
  mapRoot,
  maskPaths,
  mkdir,
  newSession,
  noNewPrivileges,
  overlay,
  PermissionError,
  type Permissions,
  pivotRoot,
  proc,
  programs,
  type Recipe,
  recipe,
  RecipeError,
  type RecipeInput,
  remount,
  sandbox,
  seccomp,
  setEnv,
  symlink,
  SyscallError,
  sysctl,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { inDirectory, test } from "../support.ts";

const ALL = ["user", "mount", "pid", "uts", "ipc", "net"] as const;
const own = recipe(unshare(...ALL), mapRoot(), tmpfs("/mnt"));
const closed = [
  pivotRoot("/mnt"),
  newSession(),
  capabilities({ keep: [] }),
  noNewPrivileges(),
] as const;
/** What no namespace holds is granted here, and has tests of its own. */
const SYS = { sys: true } as const;
/** A root with a shell and cat, which all tests grant. */
const shell = recipe(own, programs("/bin/sh", "/bin/cat"));
const TOOLS = shell.with(...closed).needs().filter((need) => need.kind === "read").map(({ path }) =>
  path
);

/** Runs a shell script with permissions, and returns its output. */
function run(box: Recipe, script: string, permissions: Exclude<Permissions, string>): string {
  const { read = [] } = permissions;
  const { stdout, stderr } = box.command("/bin/sh", {
    args: ["-c", script],
    permissions: { ...SYS, ...permissions, read: Array.isArray(read) ? [...read, ...TOOLS] : read },
  }).outputSync();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** The result for a need that is not granted. */
function denied(box: Recipe, permissions: Exclude<Permissions, string> = {}): PermissionError {
  return assertThrows(() => run(box, "true", permissions), PermissionError);
}

/** Makes a directory with a granted part and a secret beside it. */
function withSecret(body: (granted: string, secret: string) => void): () => void {
  return inDirectory((directory) => {
    for (const name of ["granted", "secret"]) Deno.mkdirSync(`${directory}/${name}`);
    Deno.writeTextFileSync(`${directory}/granted/file`, "granted\n");
    Deno.writeTextFileSync(`${directory}/secret/file`, "secret\n");
    body(`${directory}/granted`, `${directory}/secret`);
  });
}

function boxWith(...steps: RecipeInput[]): Recipe {
  return shell.with(...steps, ...closed);
}

test(
  "granted paths can be read, and everything beneath them",
  withSecret((granted) => {
    Deno.mkdirSync(`${granted}/below`);
    Deno.writeTextFileSync(`${granted}/below/file`, "below\n");
    const box = boxWith(bind(granted, "/mnt/a", { readOnly: true }));
    assertEquals(run(box, "cat /a/file", { read: [granted] }), "granted\n");
    const below = boxWith(bind(`${granted}/below`, "/mnt/a", { readOnly: true }));
    assertEquals(run(below, "cat /a/file", { read: [granted] }), "below\n");
    assertEquals(run(below, "cat /a/file", { read: ["/"] }), "below\n");
    assertEquals(run(below, "cat /a/file", { read: true }), "below\n");
    assertEquals(run(below, "cat /a/file", { read: [`${granted}/../granted/`] }), "below\n");
  }),
);

test(
  "a denied need is an error with the path, the step and the option that grants it",
  withSecret((granted, secret) => {
    const box = boxWith(bind(secret, "/mnt/a", { readOnly: true }));
    const error = denied(box, { read: [granted] });
    assertEquals([error.grant, error.value, error.step, error.stepIndex], [
      "read",
      secret,
      "bind",
      4,
    ]);
    assertStringIncludes(error.message, "step 5 (bind): not granted: read " + secret);
    assertStringIncludes(error.message, `--allow-read=${secret}`);
    denied(box, { read: [`${secret}/fil`] });
    denied(box, { read: [secret.slice(0, -1)] });
    denied(box, { read: false });
    denied(box, { write: [secret] });
  }),
);

test(
  "writing is granted separately",
  withSecret((granted) => {
    const box = boxWith(bind(granted, "/mnt/a"));
    const error = denied(box, { read: [granted] });
    assertEquals(error.grant, "write");
    const script = "echo more > /a/more; cat /a/more";
    assertEquals(run(box, script, { read: [granted], write: [granted] }), "more\n");
    const readOnly = boxWith(bind(granted, "/mnt/a", { readOnly: true }));
    assertStringIncludes(run(readOnly, "echo > /a/x", { read: [granted] }), "Read-only");
    // Root of the user namespace could remount it.
    const open = shell.with(bind(granted, "/mnt/a", { readOnly: true }), pivotRoot("/mnt"));
    assertEquals(denied(open, { read: [granted] }).grant, "write");
    const again = boxWith(
      bind(granted, "/mnt/a", { readOnly: true }),
      remount("/mnt/a", "nosuid"),
    );
    assertEquals(denied(again, { read: [granted] }).grant, "write");
  }),
);

test('"none" grants nothing, also to recipes without steps', () => {
  const error = assertThrows(
    () => recipe().command("true", { permissions: "none" }).outputSync(),
    PermissionError,
  );
  assertStringIncludes(error.message, "pivotRoot() gives it a root of its own");
  assertStringIncludes(error.message, "the host's network");
  const box = own.with(pivotRoot("/mnt"), newSession(), init(), unshare("user"), seccomp());
  const missing = assertThrows(
    () => box.command("/x", { permissions: "none" }).outputSync(),
    Deno.errors.NotFound,
  );
  assertStringIncludes(missing.message, "program not found");
});

test("all access to the machine is granted together", () => {
  const box = recipe(unshare("user"), mapRoot());
  const files = { read: true, write: true, net: true } as const;
  const command = (permissions: Permissions) => box.command("true", { permissions });
  for (const partly of [files, { ...files, run: true }, { ...files, sys: true }]) {
    const error = assertThrows(() => command(partly).outputSync(), PermissionError);
    assertEquals(error.grant, "run");
    assertStringIncludes(error.message, "--allow-run --allow-sys");
  }
  assert(command({ ...files, run: true, sys: true }).outputSync().success);
});

test("invalid permissions are reported", () => {
  const command = (permissions: unknown) => () =>
    recipe().command("true", { permissions: permissions as Permissions });
  for (
    const wrong of [
      "all",
      null,
      [],
      { reads: true },
      { read: 1 },
      { read: [1] },
      { net: ["a b"] },
      { net: ["http://a"] },
      { net: ["a:0"] },
      { net: ["a:65536"] },
      { net: ["user@a"] },
      { env: ["A=B"] },
      { env: ["A*B"] },
      { env: ["*_A"] },
      { sys: ["hostname"] },
    ]
  ) {
    assertThrows(command(wrong), TypeError, "permissions");
  }
});

test(
  "symbolic links, `..` and links of /proc are followed before the check",
  withSecret((granted, secret) => {
    Deno.symlinkSync(secret, `${granted}/link`);
    Deno.symlinkSync("../secret/file", `${granted}/link-to-file`);
    using opened = linux.open(secret);
    const sources = [
      `${granted}/link`,
      `${granted}/link/file`,
      `${granted}/link-to-file`,
      `${granted}/../secret`,
      `${granted}/./../granted/../secret/`,
      `/proc/self/root${secret}`,
      `/proc/${Deno.pid}/root${secret}`,
      `/proc/self/fd/${opened.number}`,
      `/dev/fd/${opened.number}/file`,
      `/proc/thread-self/fd/${opened.number}`,
    ];
    for (const source of sources) {
      const error = denied(boxWith(bind(source, "/mnt/a", { readOnly: true })), {
        read: [granted],
      });
      assert(error.value === secret || error.value === `${secret}/file`, error.message);
    }
  }),
);

test(
  "a link that leads out of a granted directory leads nowhere in the container",
  withSecret((granted, secret) => {
    Deno.symlinkSync(secret, `${granted}/link`);
    Deno.symlinkSync("../secret", `${granted}/relative`);
    const box = boxWith(bind(granted, "/mnt/a", { readOnly: true }));
    const output = run(box, "cat /a/link/file /a/relative/file", { read: [granted] });
    assertEquals(output.match(/No such file/g)?.length, 2, output);
  }),
);

test(
  "a link that is made between the plan and the launch is an error",
  withSecret((granted, secret) => {
    Deno.mkdirSync(`${granted}/a/b`, { recursive: true });
    Deno.mkdirSync(`${granted}/c`);
    const steps: Record<string, RecipeInput> = {
      bind: bind(`${granted}/a/b`, "/mnt/a", { readOnly: true }),
      overlay: overlay("/mnt/a", { lower: [`${granted}/a/b`], discard: true }),
      lower: overlay("/mnt/a", { lower: [`${granted}/a/b`, `${granted}/c`] }),
    };
    for (const [name, step] of Object.entries(steps)) {
      for (const swapped of [`${granted}/a/b`, `${granted}/a`]) {
        const command = boxWith(step).command("/bin/sh", {
          args: ["-c", "cat /a/file"],
          permissions: { ...SYS, read: [granted, ...TOOLS] },
        });
        Deno.renameSync(swapped, `${granted}/aside`);
        Deno.symlinkSync(secret, swapped);
        if (!swapped.endsWith("/b")) Deno.mkdirSync(`${secret}/b`, { recursive: true });
        const error = assertThrows(() => command.outputSync(), SyscallError, "", name);
        assertEquals([error.code, error.syscall], ["ELOOP", "openat2"]);
        assertStringIncludes(error.message, "has appeared since the plan was made");
        Deno.removeSync(swapped);
        Deno.renameSync(`${granted}/aside`, swapped);
        assert(command.outputSync().code < 125, "and as it was, it runs");
      }
    }
  }),
);

test(
  "such a link is an error without permissions too: they change no call",
  withSecret((granted, secret) => {
    Deno.mkdirSync(`${granted}/a`);
    const command = boxWith(bind(`${granted}/a`, "/mnt/a")).command("/bin/cat", {
      args: ["/a/file"],
    });
    Deno.removeSync(`${granted}/a`);
    Deno.symlinkSync(secret, `${granted}/a`);
    assertEquals(assertThrows(() => command.outputSync(), SyscallError).code, "ELOOP");
    const anew = boxWith(bind(`${granted}/a`, "/mnt/a")).command("/bin/cat", { args: ["/a/file"] });
    assertEquals(new TextDecoder().decode(anew.outputSync().stdout), "secret\n");
  }),
);

test(
  "a program that is replaced by a link is not shown",
  withSecret((granted, secret) => {
    Deno.copyFileSync(Deno.realPathSync("/bin/cat"), `${granted}/cat`);
    for (const copy of [true, false]) {
      const box = shell.with(programs(`${granted}/cat`, { copy }), ...closed);
      const command = box.command("/bin/sh", {
        args: ["-c", `cat ${granted}/cat`],
        permissions: { ...SYS, read: [granted, ...TOOLS] },
      });
      Deno.renameSync(`${granted}/cat`, `${granted}/aside`);
      Deno.symlinkSync(`${secret}/file`, `${granted}/cat`);
      assertEquals(assertThrows(() => command.outputSync(), SyscallError).code, "ELOOP");
      Deno.removeSync(`${granted}/cat`);
      Deno.renameSync(`${granted}/aside`, `${granted}/cat`);
    }
  }),
);

test(
  "links that the recipe makes lead only to granted files",
  withSecret((granted, secret) => {
    const read = [granted];
    const link = recipe(
      tmpfs("/var"),
      symlink(secret, "/var/link"),
      symlink(secret, "/mnt/link"),
      mkdir("/mnt/a"),
    );
    const tries: Record<string, RecipeInput> = {
      "a link beside the new root": bind("/var/link", "/mnt/a"),
      "a file behind it": bind("/var/link/file", "/mnt/a/file"),
      "a link in the new root": bind("/mnt/link", "/mnt/a"),
      "a lower directory": overlay("/mnt/a", { lower: ["/var/link"], discard: true }),
      "a lower directory in the new root": overlay("/mnt/a", {
        lower: ["/mnt/link"],
        discard: true,
      }),
      "two lower directories": overlay("/mnt/a", { lower: ["/var/link", "/mnt"] }),
    };
    for (const [name, step] of Object.entries(tries)) {
      const box = shell.with(link, step, ...closed);
      assertEquals(box.needs().some((need) => "path" in need && need.path === secret), false);
      let output: string;
      try {
        output = run(box, "cat /a/file", { read });
      } catch (error) {
        assert(error instanceof SyscallError, name);
        output = error.message;
      }
      assertEquals(/^secret$/m.test(output), false, `${name}: ${output}`);
    }
  }),
);

test(
  "a link in place of a device shows nothing",
  withSecret((_granted, secret) => {
    const box = shell.with(
      tmpfs("/dev"),
      ...["null", "zero", "full", "random", "urandom", "tty"].map((name) =>
        symlink(`${secret}/file`, `/dev/${name}`)
      ),
      writeFile("/mnt/file", "hidden\n"),
    );
    const linked = box.with(devices("/mnt/dev"), ...closed);
    const error = assertThrows(() => run(linked, "cat /dev/null", {}), SyscallError);
    assertEquals(error.code, "EXDEV", error.message);
    // The empty file over a path is not a device of the host.
    assertEquals(run(box.with(maskPaths("/mnt/file"), ...closed), "cat /file", {}), "");
  }),
);

test(
  "settings and id maps are not written through links",
  withSecret((granted, secret) => {
    Deno.mkdirSync(`${granted}/sys/net/ipv4`, { recursive: true });
    Deno.symlinkSync(`${secret}/file`, `${granted}/sys/net/ipv4/ip_forward`);
    const box = shell.with(
      bind(granted, "/proc"),
      sysctl({ "net.ipv4.ip_forward": 1 }),
      ...closed,
    );
    const error = assertThrows(
      () => run(box, "true", { read: [granted], write: [granted] }),
      SyscallError,
    );
    assertEquals(error.code, "EINVAL");
    assertStringIncludes(error.message, "/proc is not procfs");
    assertEquals(Deno.readTextFileSync(`${secret}/file`), "secret\n");
    Deno.mkdirSync(`${granted}/self`);
    const files = ["setgroups", "uid_map", "gid_map"].map((name) => `${granted}/self/${name}`);
    for (const file of files) Deno.writeTextFileSync(file, "feigned");
    const maps = shell.with(bind(granted, "/proc"), unshare("user"), mapRoot(), pivotRoot("/mnt"));
    // The calls write to procfs only, so no file of the host has to be granted.
    assertEquals(maps.needs().some((need) => need.kind === "write" && need.path === "/"), false);
    assertThrows(
      () => maps.command("/bin/sh", { args: ["-c", "true"] }).outputSync(),
      SyscallError,
      "/proc is not procfs",
    );
    for (const file of files) assertEquals(Deno.readTextFileSync(file), "feigned");
  }),
);

test(
  "files are made on the host if that is granted, but not through links",
  withSecret((granted, secret) => {
    Deno.symlinkSync(secret, `${granted}/link`);
    const write = (path: string) => boxWith(writeFile(path, "soup", { host: true }));
    denied(write(`${granted}/link/new`), { write: [granted] });
    denied(write(`${secret}/new`), { write: [granted] });
    denied(boxWith(mkdir(`${secret}/new`, { host: true })), { write: [granted] });
    denied(boxWith(symlink("a", `${granted}/link/new`, { host: true })), { write: [granted] });
    run(write(`${granted}/new`), "true", { write: [granted] });
    assertEquals(Deno.readTextFileSync(`${granted}/new`), "soup");
    Deno.mkdirSync(`${granted}/directory`);
    const command = write(`${granted}/directory/new`).command("/bin/sh", {
      permissions: { ...SYS, read: TOOLS, write: [granted] },
    });
    Deno.removeSync(`${granted}/directory`);
    Deno.symlinkSync(secret, `${granted}/directory`);
    assertEquals(assertThrows(() => command.outputSync(), SyscallError).code, "ELOOP");
    assertEquals([...Deno.readDirSync(secret)].length, 1);
  }),
);

test(
  "a mount point or new root that is replaced by a link is an error",
  withSecret((granted, secret) => {
    Deno.mkdirSync(`${granted}/place`);
    Deno.mkdirSync(`${granted}/root`);
    const boxes = [
      shell.with(tmpfs(`${granted}/place`), bind(`${granted}/place`, "/mnt/a"), ...closed),
      recipe(unshare(...ALL), mapRoot(), pivotRoot(`${granted}/place`)),
      recipe(unshare(...ALL), mapRoot(), tmpfs(`${granted}/place`), pivotRoot(`${granted}/place`)),
      recipe(
        unshare(...ALL),
        mapRoot(),
        pivotRoot(`${granted}/place`),
        capabilities({ keep: [] }),
      ),
    ];
    for (const box of boxes) {
      const command = box.command("/bin/sh", {
        permissions: { ...SYS, read: [granted, ...TOOLS], write: [granted] },
      });
      Deno.removeSync(`${granted}/place`);
      Deno.symlinkSync(secret, `${granted}/place`);
      // Where it leads by now has not been granted, or is no place of this recipe's.
      const error = assertThrows(() => command.outputSync());
      assert(error instanceof PermissionError || error instanceof SyscallError, String(error));
      assertEquals([...Deno.readDirSync(secret)].length, 1);
      Deno.removeSync(`${granted}/place`);
      Deno.mkdirSync(`${granted}/place`);
    }
  }),
);

test(
  "a directory of the host can be the new root",
  withSecret((granted, secret) => {
    for (const name of ["bin", "lib", "lib64", "usr"]) Deno.mkdirSync(`${granted}/${name}`);
    const box = recipe(
      unshare(...ALL),
      mapRoot(),
      ...["bin", "lib", "lib64", "usr"].map((name) =>
        bind(`/${name}`, `${granted}/${name}`, { readOnly: true })
      ),
      pivotRoot(granted),
      ...closed.slice(1),
    );
    const permissions = { read: [granted, "/usr"], write: [granted] };
    assertEquals(run(box, "cat /file; echo new > /new", permissions), "granted\n");
    assertEquals(Deno.readTextFileSync(`${granted}/new`), "new\n");
    denied(box, { ...permissions, write: [secret] });
  }),
);

test(
  "covering mounts cannot be unmounted, and read-only ones cannot be made writable",
  withSecret((granted) => {
    const box = recipe(own, programs("/bin/sh", "/bin/cat", "/bin/mount", "/bin/umount")).with(
      bind(granted, "/mnt/a", { readOnly: true }),
      mkdir("/mnt/b"),
      ...closed,
    );
    const read = box.needs().filter((need) => need.kind === "read").map(({ path }) => path);
    const { stdout } = box.command("/bin/sh", {
      args: [
        "-c",
        "mount -o remount,bind,rw /a; umount /a; mount --bind /a /b; echo > /a/x; cat /a/file",
      ],
      permissions: { ...SYS, read },
    }).outputSync();
    assertEquals(new TextDecoder().decode(stdout), "granted\n");
    assertEquals([...Deno.readDirSync(granted)].length, 1);
  }),
);

test(
  "with capabilities both can be done, and the needs include that",
  withSecret((granted) => {
    const box = recipe(own, programs("/bin/sh", "/bin/cat", "/bin/mount", "/bin/umount")).with(
      bind(granted, "/mnt/a", { readOnly: true }),
      tmpfs("/mnt/a"),
      pivotRoot("/mnt"),
    );
    assert(box.needs().some((need) => need.kind === "write" && need.path === granted));
    const args = ["-c", "umount /a && mount -o remount,bind,rw /a && echo new > /a/new"];
    const { stderr } = box.command("/bin/sh", { args }).outputSync();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(Deno.readTextFileSync(`${granted}/new`), "new\n");
  }),
);

test(
  "an init on the host's root gives access to the host",
  withSecret((_granted, secret) => {
    const box = recipe(unshare("user", "pid"), mapRoot(), init(), unshare("mount")).with(
      tmpfs("/mnt"),
      programs("/bin/sh", "/bin/cat"),
      proc("/mnt/proc"),
      pivotRoot("/mnt"),
    );
    assertEquals(box.needs()[0], { kind: "read", path: "/" });
    const args = [`/proc/1/root${secret}/file`];
    // The process can be traced only after it has become the init.
    const script = `until cat ${args[0]}; do [ $((i += 1)) -lt 100 ] || exit 1; done`;
    const { stdout } = box.command("/bin/sh", { args: ["-c", script], stderr: "null" })
      .outputSync();
    assertEquals(new TextDecoder().decode(stdout), "secret\n");
    const below = box.with(unshare("user"), mapRoot());
    assertEquals(below.needs().some((need) => need.kind === "read" && need.path === "/"), false);
    assertEquals(below.command("/bin/cat", { args }).outputSync().stdout.length, 0);
  }),
);

test(
  "an overlay of granted directories works, with its changes in the upper directory",
  withSecret((granted) => {
    for (const name of ["lower", "upper", "work"]) Deno.mkdirSync(`${granted}/${name}`);
    Deno.writeTextFileSync(`${granted}/lower/file`, "lower\n");
    const lower = [`${granted}/lower`];
    const discarding = boxWith(overlay("/mnt/a", { lower, discard: true }));
    const script = "cat /a/file; echo new > /a/new; cat /a/new; cat /proc/self/mounts";
    const output = run(discarding, script, { read: [granted] });
    assertStringIncludes(output, "lower\nnew\n");
    const options = { lower, upper: `${granted}/upper`, work: `${granted}/work` };
    const changing = boxWith(overlay("/mnt/a", options));
    denied(changing, { read: [granted] });
    denied(changing, { read: [granted], write: options.upper ? [options.upper] : [] });
    const both = { read: [granted], write: [granted] };
    assertEquals(run(changing, "echo new > /a/new; cat /a/new", both), "new\n");
    assertEquals(Deno.readTextFileSync(`${granted}/upper/new`), "new\n");
    const covering = boxWith(overlay(granted, { lower: [granted], discard: true }));
    assertEquals(run(covering, "true", { read: [granted] }), "");
    // The kernel leaves a directory without permissions there.
    Deno.chmodSync(`${granted}/work/work`, 0o700);
  }),
);

test("granted variables are passed on, and others left out", () => {
  Deno.env.set("RAMEKIN_ONE", "1");
  Deno.env.set("RAMEKIN_TWO", "2");
  try {
    const env = (permissions: Permissions, box = sandboxWithoutEnv, more = {}) => {
      const command = box.command("env", {
        ...more,
        permissions: { read: ["/"], ...permissions as object },
      });
      return new TextDecoder().decode(command.outputSync().stdout).trim().split("\n")
        .filter((line) => /^(RAMEKIN|PATH|LANG)/.test(line)).sort();
    };
    const directories = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assertEquals(env({}), ["LANG=C.UTF-8", directories]);
    assertEquals(env({ env: ["RAMEKIN_ONE"] }), ["LANG=C.UTF-8", directories, "RAMEKIN_ONE=1"]);
    const both = ["RAMEKIN_ONE=1", "RAMEKIN_TWO=2"];
    assertEquals(env({ env: ["RAMEKIN_*"] }), ["LANG=C.UTF-8", directories, ...both]);
    assertEquals(env({ env: ["RAMEKIN_TWO*", "AMEKIN_*"] }).slice(2), ["RAMEKIN_TWO=2"]);
    assertEquals(env({ env: ["*"] }).filter((line) => line.startsWith("RAM")), both);
    assertEquals(env({ env: true }).filter((line) => line.startsWith("RAM")), [
      "RAMEKIN_ONE=1",
      "RAMEKIN_TWO=2",
    ]);
    const set = { env: { RAMEKIN_TWO: "mine" } };
    assertEquals(env({}, sandboxWithoutEnv, set).at(-1), "RAMEKIN_TWO=mine");
    const keeps = sandboxWithoutEnv.with(clearEnv({ keep: ["RAMEKIN_ONE", "RAMEKIN_TWO"] }));
    assertEquals(env({ env: ["RAMEKIN_TWO"] }, keeps), ["RAMEKIN_TWO=2"]);
    const sets = keeps.with(setEnv({ RAMEKIN_ONE: "the recipe's" }));
    assertEquals(env({}, sets), ["RAMEKIN_ONE=the recipe's"]);
  } finally {
    Deno.env.delete("RAMEKIN_ONE");
    Deno.env.delete("RAMEKIN_TWO");
  }
});

/** sandbox() with the environment of the script. */
const sandboxWithoutEnv = recipe(
  ...sandbox().steps.filter(({ step }) => step !== "clearEnv" && step !== "setEnv"),
);

test("a command may start any program, unless there is a list", () => {
  const box = sandbox();
  const start = (program: string, run?: readonly string[] | boolean) =>
    box.command(program, { permissions: { read: ["/"], ...(run !== undefined && { run }) } })
      .outputSync();
  assert(start("true").success);
  assert(start("true", false).success);
  assert(start("true", ["true"]).success);
  const error = assertThrows(() => start("true", ["false"]), PermissionError);
  assertEquals([error.grant, error.value], ["run", "true"]);
});

test("permissions are checked at each start of a command", () =>
  withSecret((granted, secret) => {
    const box = boxWith(bind(secret, "/mnt/a", { readOnly: true }));
    const command = box.command("/bin/sh", { permissions: { ...SYS, read: [granted, ...TOOLS] } });
    for (const start of [() => command.outputSync(), () => command.spawn()]) {
      assertThrows(start, PermissionError);
    }
    assertEquals(command.plan().entries.length > 0, true, "a plan takes no grant");
  })());

test(
  "what is denied is not granted, nor is what shows it",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/a/b`, { recursive: true });
    Deno.symlinkSync("a", `${directory}/link`);
    const denied = (source: string, permissions: Exclude<Permissions, string>): string => {
      const box = own.with(mkdir("/mnt/x"), bind(source, "/mnt/x"), ...closed);
      try {
        box.command("/no", { permissions: { ...SYS, read: true, write: true, ...permissions } })
          .outputSync();
        return "ended";
      } catch (error) {
        if (!(error instanceof PermissionError)) return "started";
        return `${error.grant} ${error.value} ${error.denied} ${error.message}`;
      }
    };
    assertEquals(denied(`${directory}/a`, { denyRead: ["/usr"] }), "started");
    for (const name of ["a", "a/b", "link"]) {
      const message = denied(`${directory}/a`, { denyRead: [`${directory}/${name}`] });
      assertStringIncludes(message, `read ${directory}/a true`);
      assertStringIncludes(message, `--deny-read=${directory}/a`);
      assertStringIncludes(message, "denies it, and it wins over what is granted");
    }
    const inner = denied(`${directory}/a/b`, { denyWrite: [`${directory}/a`] });
    assertStringIncludes(inner, `write ${directory}/a/b true`);
    assertStringIncludes(denied(directory, { write: [] }), `write ${directory} false`);
  }),
);

test("no container outlives the script that is its way to a list of hosts", () => {
  const says = "a list of hosts last as long as the script, and dieWithParent(null)";
  const permissions = { ...SYS, read: true, net: ["a.example"] };
  for (const steps of [[dieWithParent(null), ...own.steps], [...own.steps, dieWithParent(null)]]) {
    const box = recipe(...steps, ...closed);
    assertThrows(() => box.command("/no", { permissions }).outputSync(), RecipeError, says);
    const other = { ...permissions, net: "loopback" } as const;
    const start = () => box.command("/no", { permissions: other }).outputSync();
    assertThrows(start, Deno.errors.NotFound);
  }
});

test("variables that are denied are not passed on, and hosts need a list", () => {
  const box = recipe(...sandbox().steps.filter(({ step }) => !/Env$/.test(step)));
  const names = (permissions: Exclude<Permissions, string>) => {
    const all = { ...SYS, read: true, run: true };
    const { stdout } = box.command("env", { permissions: { ...all, ...permissions } }).outputSync();
    return new TextDecoder().decode(stdout).split("\n").map((line) => line.split("=")[0]);
  };
  Deno.env.set("RAMEKIN_SOUP", "leek");
  try {
    assert(names({ env: true }).includes("RAMEKIN_SOUP"));
    assert(!names({ env: true, denyEnv: ["RAMEKIN_*"] }).includes("RAMEKIN_SOUP"));
    assert(!names({ env: ["RAMEKIN_SOUP"], denyEnv: ["RAMEKIN_SOUP"] }).includes("RAMEKIN_SOUP"));
  } finally {
    Deno.env.delete("RAMEKIN_SOUP");
  }
  const host = sandbox({ net: "host" });
  const error = assertThrows(
    () =>
      host.command("true", {
        permissions: { ...SYS, read: true, net: true, denyNet: ["a.example"] },
      }).outputSync(),
    PermissionError,
    "--deny-net=a.example",
  );
  assertEquals([error.grant, error.denied], ["net", true]);
  assertStringIncludes(error.message, "list the hosts to be reached");
});
