/** Scripts that run recipes where something is different: in containers, and as other users. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  mapRoot,
  overlay,
  proc,
  type Recipe,
  recipe,
  setUser,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { notRoot, root, test } from "../support.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** Runs a script that prints one value of JSON, in a container, as who may do no more than that. */
function runIn(box: Recipe, script: string, before = ""): unknown {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o777);
    const path = `${directory}/script.ts`;
    Deno.writeTextFileSync(path, `import * as ramekin from "${MOD}";\n${HELPERS}\n${script}`);
    const { code, stdout, stderr } = box.command("sh", {
      args: [
        "-euc",
        `${before}\nexec ${Deno.execPath()} run --no-check --quiet --allow-ffi ${path}`,
      ],
      env: { DENO_DIR: `${directory}/cache`, HOME: directory, NO_COLOR: "1" },
    }).outputSync();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const HELPERS = `
const { recipe, unshare, mapRoot, mapIds, proc, hostname, setUser } = ramekin;
function inside(box, script) {
  const { stdout, stderr } = box.command("sh", { args: ["-euc", script] }).outputSync();
  return new TextDecoder().decode(stdout).trim() + new TextDecoder().decode(stderr).trim();
}
function errorOf(box) {
  try {
    box.command("true").outputSync();
    return null;
  } catch ({ name, code, step, stepIndex, message }) {
    return { name, code, step, stepIndex, message };
  }
}`;

interface Told {
  readonly name: string;
  readonly code?: string;
  readonly step?: string;
  readonly stepIndex?: number;
  readonly message: string;
}

const host = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());

test("a recipe runs in the container of another one", () => {
  const script = `
    const box = recipe(unshare("user", "uts", "pid", "mount"), mapRoot(), proc(), hostname("two"));
    console.log(JSON.stringify(inside(box, "uname -n; echo $$; id -u")));`;
  assertEquals(runIn(host, script), "two\n1\n0");
});

test("a limit of user namespaces that is 0 is named, with the mend", () => {
  const told = runIn(
    host,
    `console.log(JSON.stringify(errorOf(recipe(unshare("user"), mapRoot()))))`,
    "echo 0 > /proc/sys/user/max_user_namespaces",
  ) as Told;
  assertEquals([told.name, told.code, told.step, told.stepIndex], [
    "SyscallError",
    "ENOSPC",
    "unshare",
    0,
  ]);
  assertStringIncludes(told.message, "there may be 0 user namespaces here");
  assertStringIncludes(told.message, "sysctl -w user.max_user_namespaces=");
});

test("limits of the other namespaces that are 0 are named too", () => {
  for (
    const [kind, name] of [
      ["mount", "mnt"],
      ["pid", "pid"],
      ["uts", "uts"],
      ["ipc", "ipc"],
      ["net", "net"],
      ["cgroup", "cgroup"],
      ["time", "time"],
    ] as const
  ) {
    const told = runIn(
      host,
      `console.log(JSON.stringify(errorOf(recipe(unshare("${kind}")))))`,
      `echo 0 > /proc/sys/user/max_${name}_namespaces`,
    ) as Told;
    assertEquals([told.code, told.step], ["ENOSPC", "unshare"], kind);
    assertStringIncludes(told.message, `sysctl -w user.max_${name}_namespaces=`);
  }
});

test("a recipe in a chroot is told that user namespaces are forbidden there", () => {
  const box = recipe(unshare("user", "mount"), mapRoot(), {
    step: "bind",
    source: "/",
    target: "/mnt",
  }, {
    step: "chroot",
    path: "/mnt",
  });
  const script = `console.log(JSON.stringify(errorOf(recipe(unshare("user"), mapRoot()))))`;
  const told = runIn(box, script) as Told;
  assertEquals([told.code, told.step, told.stepIndex], ["EPERM", "unshare", 0]);
  assertStringIncludes(told.message, "in a chroot");
});

test("a recipe where there is no /proc is told so", () => {
  const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/proc"));
  const script = `console.log(JSON.stringify(errorOf(recipe(unshare("user"), mapRoot()))))`;
  const told = runIn(box, script) as Told;
  assertEquals(told.name, "UnsupportedError");
  assertStringIncludes(told.message, "Ramekin needs /proc");
});

test("where /proc is of another pid namespace, its numbers are taken for no process", () => {
  const script = `
    const { join, linux, mountsOf, pidsIn } = ramekin;
    const says = (ask) => {
      try {
        return String(ask());
      } catch (error) {
        return error.name + ": " + error.message;
      }
    };
    // Another process than the script has this number out there.
    const told = [
      () => recipe(join(1)).command("true"),
      () => pidsIn(Deno.pid),
      () => linux.namespaces(1),
      () => linux.processIdentity(Deno.pid),
      () => mountsOf(Deno.pid),
      () => recipe(unshare("user"), mapIds({
        uids: [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 1, count: 9 }],
        gids: [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 1, count: 9 }],
      })).command("true"),
    ].map(says);
    const sleeper = recipe(unshare("user"), mapRoot()).command("sleep", { args: ["9"] }).spawn();
    told.push(...[
      () => recipe(join(sleeper)).command("true"),
      () => sleeper.enter("true"),
      () => sleeper.namespaces,
    ].map(says));
    await sleeper[Symbol.asyncDispose]();
    // Its own namespaces can be told, and containers made, as before.
    told.push(typeof linux.namespaces().pid, inside(recipe(unshare("user"), mapRoot()), "id -u"));
    console.log(JSON.stringify(told));`;
  const told = runIn(recipe(unshare("user", "pid", "mount"), mapRoot()), script) as string[];
  assertEquals(told.splice(-2), ["number", "0"]);
  assertEquals(told.length, 9);
  for (const words of told) {
    assertStringIncludes(
      words,
      "UnsupportedError: /proc belongs to another pid namespace",
    );
  }
});

/** The host as it would be with these lines in /etc/subuid and /etc/subgid. */
function withSubordinateIds(lines: string): Recipe {
  return recipe(
    unshare("mount"),
    overlay("/etc", { lower: ["/etc"], discard: true }),
    writeFile("/etc/subuid", lines),
    writeFile("/etc/subgid", lines),
  );
}

const RANGES = `mapIds({
  uids: [{ inside: 0, outside: 65534, count: 1 }, { inside: 1, outside: 300000, count: 1000 }],
  gids: [{ inside: 0, outside: 65534, count: 1 }, { inside: 1, outside: 300000, count: 1000 }],
})`;

const noTools = root ? missingTool() : notRoot;

function missingTool(): string | undefined {
  try {
    new Deno.Command("newuidmap").outputSync();
    return undefined;
  } catch {
    return "install Debian's uidmap";
  }
}

const ordinary = setUser({ uid: 65534, gid: 65534 });

test("an ordinary user maps ranges of /etc/subuid, and becomes another user in there", () => {
  const script = `
    const box = recipe(unshare("user", "mount"), ${RANGES}, setUser({ uid: 7, gid: 8, groups: [9] }));
    console.log(JSON.stringify(inside(box, "id -u; id -G; cat /proc/self/uid_map | tr -s ' '")));`;
  const seen = runIn(withSubordinateIds("65534:300000:65536\n").with(ordinary), script);
  assertEquals(seen, "7\n8 9\n 0 65534 1\n 1 300000 1000");
}, noTools);

test("ranges that /etc/subuid does not give are told, and nothing is left", () => {
  const script = `
    const errors = [1, 2, 3].map(() => errorOf(recipe(unshare("user", "mount"), ${RANGES})));
    console.log(JSON.stringify(errors[2]));`;
  const told = runIn(withSubordinateIds("65534:300000:10\n").with(ordinary), script) as Told;
  assertEquals(told.name, "UnsupportedError");
  assertStringIncludes(told.message, "newuidmap");
  assertStringIncludes(told.message, "subuid(5)");
}, noTools);
