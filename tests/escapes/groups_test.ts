/**
 * The script's supplementary groups, which count on the host's files whatever a user namespace
 * calls them.
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  type Container,
  join,
  linux,
  mapCurrentUser,
  mapIds,
  mapRoot,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  setUser,
  unshare,
} from "../../mod.ts";
import { RUN } from "../ramekin/support.ts";
import { until } from "../other_scripts.ts";
import { inside, notOrdinary, notRoot, test } from "../support.ts";
import { assertEscapes, assertStopped } from "./support.ts";

/** A group that nobody else on the machine is in. */
const GROUP = 424242;
/** A user who owns the secret, so that the group is the only way to it. */
const OWNER = 434343;

/** A test of a script of root with a group, and with a file that is open to that group alone. */
function withGroup(name: string, body: (secret: string) => void | Promise<void>): void {
  test(name, async () => {
    const directory = Deno.makeTempDirSync();
    const groups = linux.getgroups();
    try {
      Deno.chmodSync(directory, 0o755);
      Deno.writeTextFileSync(`${directory}/secret`, "soup");
      Deno.chownSync(`${directory}/secret`, OWNER, GROUP);
      Deno.chmodSync(`${directory}/secret`, 0o640);
      linux.setgroups([0, GROUP]);
      await body(`${directory}/secret`);
      assertEquals(linux.getgroups(), [0, GROUP]);
    } finally {
      linux.setgroups(groups);
      Deno.removeSync(directory, { recursive: true });
    }
  }, notRoot);
}

const reads = (secret: string) => `take("${secret}")`;

const range = [{ inside: 0, outside: 100000, count: 65536 }];
const ranges = { uids: range, gids: range } as const;
const denied = mapIds({ ...ranges, setgroups: "deny" });
const ids = { uid: 1000, gid: 1000 } as const;

const BOXES: Readonly<Record<string, Recipe>> = {
  "mapRoot()": recipe(unshare("user"), mapRoot()),
  "mapCurrentUser()": recipe(unshare("user"), mapCurrentUser()),
  "no map": recipe(unshare("user")),
  "mapIds()": recipe(unshare("user"), mapIds(ranges)),
  "mapIds() and setUser()": recipe(unshare("user"), mapIds(ranges), setUser(ids)),
  "mapIds() without setgroups": recipe(unshare("user"), denied),
  "mapIds() without setgroups, and setUser()": recipe(unshare("user"), denied, setUser(ids)),
  "namespaces in two steps": recipe(unshare("mount", "pid"), unshare("user"), mapRoot()),
};

for (const [name, box] of Object.entries(BOXES)) {
  withGroup(`root's groups do not reach a program: ${name}`, (secret) => {
    // Groups that the recipe itself gives are kept, and lead to the file.
    assertEscapes(
      recipe(setUser({ uid: 0, groups: [GROUP] }), ...BOXES["mapRoot()"]!.steps),
      reads(secret),
    );
    assertStopped(box, reads(secret), /Permission denied/);
    assertEquals(inside(box, "grep ^Groups: /proc/self/status"), "Groups:");
  });
}

withGroup("root's groups do not reach a sandbox", (secret) => {
  assertStopped(sandbox({ read: [secret] }), reads(secret), /Permission denied/);
});

withGroup("root's groups do not reach a program with ids of its own", (secret) => {
  const { steps } = BOXES["mapIds() without setgroups"]!;
  const args = ["-c", `grep -E "^(Uid|Groups)" /proc/self/status; cat ${secret}`];
  const { stdout, stderr } = recipe(...steps).command("sh", { args, ...ids }).outputSync();
  assertEquals(decode(stdout), "Uid:\t1000\t1000\t1000\t1000\nGroups:\t \n");
  assertMatch(decode(stderr), /Permission denied/);
});

test("root's own group is dropped before it becomes another", () => {
  const groups = linux.getgroups();
  linux.setgroups([0]);
  try {
    const status = "grep ^Groups: /proc/self/status";
    assertEquals(inside(BOXES["mapIds() without setgroups, and setUser()"]!, status), "Groups:");
  } finally {
    linux.setgroups(groups);
  }
}, notRoot);

/** A container of another user, whose user namespace denies setgroups(2). */
async function othersContainer(): Promise<Container> {
  const args = ["--map-root-user", "--mount", "sleep", "600"];
  const other = recipe(setUser({ uid: 65534, gid: 65534 }));
  const container = other.command("unshare", { args, stdin: "null" }).spawn();
  await until(() => Deno.readTextFileSync(`/proc/${container.pid}/comm`) === "sleep\n");
  return container;
}

withGroup("root's groups are not taken into another user's container", async (secret) => {
  await using target = await othersContainer();
  const attack = reads(secret);
  assertEscapes(recipe(join(target, { credentials: "keep" })), attack);
  assertStopped(recipe(join(target)), attack, /Permission denied/);
  assertStopped(recipe(join(`/proc/${target.pid}/ns/user`)), attack, /Permission denied/);
  const status = ["-E", "^(Uid|Gid|Groups):", "/proc/self/status"];
  const entered = target.enter("grep", { args: status }).outputSync();
  const nsenter = new Deno.Command("setpriv", {
    args: [`--groups=0,${GROUP}`, "nsenter", "-t", `${target.pid}`, "-U", "grep", ...status],
  }).outputSync();
  assertEquals(decode(entered.stdout), decode(nsenter.stdout));
  assertMatch(decode(entered.stdout), /^Groups:\t $/m);
  const words = [`--groups=0,${GROUP}`, ...RUN, "enter", `${target.pid}`, "--", "grep", ...status];
  const byCommand = new Deno.Command("setpriv", { args: words, stdin: "null" }).outputSync();
  assertEquals(decode(byCommand.stdout) + decode(byCommand.stderr), decode(nsenter.stdout));
});

withGroup("without CAP_SETGID root's groups keep it out of another user's container", async () => {
  await using target = await othersContainer();
  const { effective, permitted, inheritable } = linux.capget();
  linux.capset({
    effective: effective.filter((name) => name !== "CAP_SETGID"),
    permitted,
    inheritable,
  });
  try {
    for (const step of [join(target), join(target, { credentials: "process" })]) {
      assertThrows(() => recipe(step).plan(), RecipeError, "groups cannot be dropped");
    }
    recipe(join(target, { credentials: "keep" })).plan();
  } finally {
    linux.capset({ effective, permitted, inheritable });
  }
});

withGroup("the ids of a command are those of Deno.Command", () => {
  const args = ["-E", "^(Uid|Gid|Groups):", "/proc/self/status"];
  for (const given of [{ uid: 1000 }, { gid: 1000 }, { uid: 1000, gid: 1000 }, {}]) {
    const own = new Deno.Command("setpriv", {
      args: [
        `--groups=0,${GROUP}`,
        Deno.execPath(),
        "eval",
        `
        const { stdout } = await new Deno.Command("grep", {
          args: ${JSON.stringify(args)}, ...${JSON.stringify(given)} }).output();
        Deno.stdout.writeSync(stdout);`,
      ],
    }).outputSync();
    const ours = recipe().command("grep", { args, ...given }).outputSync();
    assertEquals(decode(ours.stdout), decode(own.stdout), JSON.stringify(given));
  }
});

test("an ordinary user's groups stay, as with unshare(1): they cannot be dropped", () => {
  const status = "grep ^Groups: /proc/self/status";
  const args = ["--map-root-user", "sh", "-c", status];
  const { stdout } = new Deno.Command("unshare", { args }).outputSync();
  assertEquals(inside(BOXES["mapRoot()"]!, status), decode(stdout).trimEnd());
}, notOrdinary);

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
