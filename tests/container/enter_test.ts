/** Programs that enter a running container, by `container.enter()` and by `ramekin enter`. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { planCgroup } from "../../ffi/cgroups/plan.ts";
import {
  bind,
  capabilities,
  chdir,
  chroot,
  type Command,
  type CommandOptions,
  init,
  limits,
  mapCurrentUser,
  mapIds,
  mapRoot,
  noNewPrivileges,
  proc,
  type Recipe,
  recipe,
  sandbox,
  setUser,
  SyscallError,
  timeOffset,
  tmpfs,
  umask,
  unshare,
  UnsupportedError,
} from "../../mod.ts";
import { ramekin, TestTerminal } from "../ramekin/support.ts";
import { root, test } from "../support.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** What a program has: ids, capabilities, restrictions, and its place. */
const LOOK = `grep -E '^(Uid|Gid|Groups|Umask|Cap|NoNewPrivs|Seccomp):' /proc/self/status
  pwd; stat -c %d:%i / .`;

const range = [{ inside: 0, outside: 100000, count: 65536 }];
const others = mapIds({ uids: range, gids: range });
const ids = { uid: 1234, gid: 4321 } as const;
const place = [unshare("mount"), tmpfs("/tmp"), chdir("/tmp")] as const;

/** Containers, and options of their programs. */
const CONTAINERS: Readonly<Record<string, readonly [Recipe, CommandOptions?]>> = {
  "no namespaces": [recipe()],
  "the user of the script": [recipe(unshare("user"), mapCurrentUser(), ...place)],
  "root": [recipe(unshare("user"), mapRoot(), umask(0o27), ...place)],
  "root with fewer capabilities": [
    recipe(unshare("user"), mapRoot(), capabilities({ bounding: ["CAP_CHOWN", "CAP_SETPCAP"] })),
  ],
  "a user with a capability": [
    recipe(unshare("user"), mapCurrentUser(), capabilities({ keep: ["CAP_CHOWN"] })),
  ],
  "no new privileges": [recipe(unshare("user"), mapRoot(), noNewPrivileges())],
  "an init, and another root": [
    recipe(
      unshare("user", "mount", "pid"),
      mapRoot(),
      tmpfs("/mnt"),
      bind("/", "/mnt"),
      proc("/mnt/proc"),
      init(),
      chroot("/mnt"),
      chdir("/usr"),
    ),
  ],
  "a sandbox": [sandbox()],
  ...(root && {
    "another user": [recipe(setUser({ ...ids, groups: [5, 6] }), umask(0o77))],
    "another user by the command": [recipe(), ids],
    "another user of a user namespace": [
      recipe(unshare("user"), others, setUser({ ...ids, groups: [5, 6] })),
    ],
    "root of other ids": [recipe(unshare("user"), others)],
    "capabilities that the change of the user drops": [
      recipe(capabilities({ keep: ["CAP_SETUID", "CAP_SETGID"] }), setUser(ids)),
    ],
  }),
};

/** Starts a program that tells what it has, and waits. */
async function begin(box: Recipe, options: CommandOptions = {}) {
  const args = ["-c", `${LOOK}; echo ready; exec sleep 600`];
  const container = box.command("sh", { ...options, args, stdout: "piped", stdin: "null" }).spawn();
  const reader = container.stdout.getReader();
  let text = "";
  while (!text.endsWith("ready\n")) text += decode((await reader.read()).value!);
  reader.releaseLock();
  return { container, has: text.replace(/ready\n$/, "") };
}

for (const [name, [box, options]] of Object.entries(CONTAINERS)) {
  test(`a program that enters has what the container's program has: ${name}`, async () => {
    const { container, has } = await begin(box, options);
    await using _ = container;
    const { stdout, stderr } = await container.enter("sh", { args: ["-c", LOOK] }).output();
    assertEquals(decode(stdout) + decode(stderr), has);
    const byCommand = await ramekin("enter", String(container.pid), "--", "sh", "-c", LOOK);
    assertEquals(byCommand.stdout + byCommand.stderr, has);
  });
}

test("user: root, and --root, are for more than the program may", async () => {
  const { container } = await begin(
    root
      ? recipe(unshare("user"), others, setUser(ids))
      : recipe(unshare("user"), mapRoot(), capabilities({ permitted: [], effective: [] })),
  );
  await using _ = container;
  const status = ["-c", "id -u; grep CapEff: /proc/self/status"];
  const all = /^CapBnd:\s+(\w+)$/m.exec(Deno.readTextFileSync(`/proc/${container.pid}/status`))![1];
  const expected = `0\nCapEff:\t${all}\n`;
  const { stdout } = await container.enter("sh", { args: status, user: "root" }).output();
  assertEquals(decode(stdout), expected);
  const words = ["enter", "--root", String(container.pid), "--", "sh", ...status];
  assertEquals((await ramekin(...words)).stdout, expected);
});

test("root of a sandbox has no capabilities either", async () => {
  const { container } = await begin(sandbox());
  await using _ = container;
  const status = ["-c", "grep -E 'CapEff|CapBnd' /proc/self/status"];
  const none = "0".repeat(16);
  const { stdout } = await container.enter("sh", { args: status, user: "root" }).output();
  assertEquals(decode(stdout), `CapEff:\t${none}\nCapBnd:\t${none}\n`);
});

test("who enters may begin as another user of the container", async () => {
  const { container } = await begin(recipe(unshare("user"), others, setUser(ids)));
  await using _ = container;
  const { stdout } = await container.enter("id", { args: ["-u"], uid: 33, gid: 33 }).output();
  assertEquals(decode(stdout), "33\n");
}, root ? undefined : "needs root");

test("an unknown user is refused", async () => {
  const { container } = await begin(recipe());
  await using _ = container;
  assertThrows(
    () => container.enter("true", { user: "rot" as "root" }),
    TypeError,
    'option "user"',
  );
});

/** Why a container cannot be paused here. */
function noGroup(): string | undefined {
  try {
    planCgroup({ pids: 10 });
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return "needs a control group";
  }
}

test("a paused container is not entered, as the launch would be frozen too", async () => {
  const { container } = await begin(recipe(limits({ pids: 100 })));
  await using _ = container;
  const early = container.enter("true");
  await container.pause();
  for (const enter of [() => container.enter("true"), () => early.outputSync()]) {
    const { code, message, step } = assertThrows(enter, SyscallError);
    assertEquals([code, step], ["EBUSY", "join"]);
    assertStringIncludes(message, "the container is paused; resume() first");
  }
  const { code, stderr } = await ramekin("enter", String(container.pid), "--", "true");
  assertEquals(code, 125);
  assertStringIncludes(stderr, "the container is paused; resume() first");
  container.resume();
  assertEquals(early.outputSync().code, 0);
}, noGroup());

const ENDING: Readonly<Record<string, Recipe>> = {
  "no namespaces": recipe(),
  "a user namespace": recipe(unshare("user", "mount"), mapRoot()),
  "a pid namespace": recipe(unshare("user", "pid", "mount"), mapRoot(), proc()),
  "an init": recipe(unshare("user", "pid", "mount"), mapRoot(), proc(), init()),
};

for (const [name, box] of Object.entries(ENDING)) {
  test(`a container that is ending is reported by one error: ${name}`, async () => {
    for (let round = 0; round < 20; round++) {
      await using container = box.command("sleep", { args: ["600"] }).spawn();
      const early = container.enter("true");
      container.kill("SIGKILL");
      for (let attempt = 0; attempt < 5; attempt++) {
        for (const make of [() => container.enter("true"), () => early]) assertEnded(make);
      }
    }
  });
}

/** The container is entered still, and the program killed or not; or the error says why. */
function assertEnded(make: () => Command): void {
  try {
    make().outputSync();
  } catch (error) {
    assert(error instanceof TypeError, String(error));
    assertEquals(error.message, "the container has ended already");
  }
}

test("a program that enters a container with a session of its own has no terminal", async () => {
  const script = Deno.makeTempFileSync({ suffix: ".ts" });
  Deno.writeTextFileSync(
    script,
    `import { newSession, recipe } from "${MOD}";
    await using container = recipe(newSession()).command("sleep", { args: ["60"] }).spawn();
    const look = { args: ["-c", "ps -o tty= -p $$"] };
    await container.enter("sh", look).spawn().status;
    await container.enter("sh", { ...look, terminal: true }).spawn().status;`,
  );
  try {
    const words = [
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-check",
      "--no-config",
      "--allow-ffi",
      script,
    ];
    await using terminal = new TestTerminal(words);
    assertEquals(await terminal.code(), 0, terminal.shown);
    const [entered, withTerminal] = terminal.shown.trim().split("\n");
    assertEquals(entered!.trim(), "?");
    assert(withTerminal!.trim() !== "?", terminal.shown);
  } finally {
    Deno.removeSync(script);
  }
});

const TIMES = {
  "root, by what executes the program": [[], {}, true],
  "root without new privileges, by a copy of the script": [[noNewPrivileges()], {}, false],
  "a user, by a copy of the script": [[capabilities({ keep: [] })], {}, false],
  "an id of its own, by a copy of the script": [[], { uid: 0 }, false],
} as const;

for (const [whose, [added, options, shares]] of Object.entries(TIMES)) {
  test(`a time namespace is entered: ${whose}`, async () => {
    const box = recipe(
      unshare("user", "mount", "pid", "time"),
      mapRoot(),
      proc(),
      timeOffset({ boottime: 1e6 }),
      ...added,
    );
    await using container = box.command("sleep", { args: ["60"] }).spawn();
    const look = "readlink /proc/self/ns/time; cut -d. -f1 /proc/uptime; ls /proc/self/fd | wc -l";
    const command = container.enter("sh", { args: ["-c", look], ...options });
    const [namespace, uptime, open] = (await command.output()).text().split("\n");
    assertEquals(namespace, `time:[${container.namespaces.time}]`);
    assert(Number(uptime) >= 1e6, uptime);
    // The streams, and the directory that is listed.
    assertEquals(open, "4");
    const clone = command.plan().entries.find(({ call }) => call.startsWith("clone"))!.call;
    assertEquals(clone.includes("CLONE_VM"), shares, clone);
  });
}

test("a script that handles SIGCHLD enters too: the signal interrupts what has a timeout", async () => {
  const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
  const ignore = () => {};
  Deno.addSignalListener("SIGCHLD", ignore);
  try {
    await using container = box.command("sleep", { args: ["60"] }).spawn();
    const command = container.enter("true", { stdin: "null", stdout: "null", stderr: "null" });
    const codes = Array.from({ length: 40 }, () => command.outputSync().code);
    assertEquals(codes.every((code) => code === 0), true);
    for (let time = 0; time < 20; time++) await container.fs.stat("/etc");
  } finally {
    Deno.removeSignalListener("SIGCHLD", ignore);
  }
});

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
