/** Scripts that run recipes in containers, and as other users. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  mapRoot,
  mkdir,
  overlay,
  proc,
  type Recipe,
  recipe,
  setUser,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { notRoot, root, test } from "../support.ts";

/** Runs a script that prints one JSON value, in a container. */
function runIn(box: Recipe, script: string, before = ""): unknown {
  return scriptInside(box, `${HELPERS}\n${script}`, before);
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

interface Result {
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

test("a limit of 0 user namespaces is reported with the fix", () => {
  const result = runIn(
    host,
    `console.log(JSON.stringify(errorOf(recipe(unshare("user"), mapRoot()))))`,
    "echo 0 > /proc/sys/user/max_user_namespaces",
  ) as Result;
  assertEquals([result.name, result.code, result.step, result.stepIndex], [
    "SyscallError",
    "ENOSPC",
    "unshare",
    0,
  ]);
  assertStringIncludes(result.message, "only 0 user namespaces are allowed here");
  assertStringIncludes(result.message, "sysctl -w user.max_user_namespaces=");
});

test("limits of 0 for the other namespaces are reported too", () => {
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
    const result = runIn(
      host,
      `console.log(JSON.stringify(errorOf(recipe(unshare("${kind}")))))`,
      `echo 0 > /proc/sys/user/max_${name}_namespaces`,
    ) as Result;
    assertEquals([result.code, result.step], ["ENOSPC", "unshare"], kind);
    assertStringIncludes(result.message, `sysctl -w user.max_${name}_namespaces=`);
  }
});

test("the error in a chroot says that user namespaces are forbidden there", () => {
  const box = recipe(unshare("user", "mount"), mapRoot(), {
    step: "bind",
    source: "/",
    target: "/mnt",
  }, {
    step: "chroot",
    path: "/mnt",
  });
  const script = `console.log(JSON.stringify(errorOf(recipe(unshare("user"), mapRoot()))))`;
  const result = runIn(box, script) as Result;
  assertEquals([result.code, result.step, result.stepIndex], ["EPERM", "unshare", 0]);
  assertStringIncludes(result.message, "in a chroot");
});

test("the error without /proc says so", () => {
  const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/proc"));
  const script = `console.log(JSON.stringify(errorOf(recipe(unshare("user"), mapRoot()))))`;
  const result = runIn(box, script) as Result;
  assertEquals(result.name, "UnsupportedError");
  assertStringIncludes(result.message, "Ramekin needs /proc");
});

test("pids of a /proc of another pid namespace are not used", () => {
  const script = `
    const { join, linux, mountsOf, pidsIn } = ramekin;
    const says = (ask) => {
      try {
        return String(ask());
      } catch (error) {
        return error.name + ": " + error.message;
      }
    };
    // Another process has this pid in that namespace.
    const result = [
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
    result.push(...[
      () => recipe(join(sleeper)).command("true"),
      () => sleeper.enter("true"),
      () => sleeper.namespaces,
    ].map(says));
    await sleeper[Symbol.asyncDispose]();
    // The script's own namespaces are known, and containers can be made.
    result.push(typeof linux.namespaces().pid, inside(recipe(unshare("user"), mapRoot()), "id -u"));
    console.log(JSON.stringify(result));`;
  const result = runIn(recipe(unshare("user", "pid", "mount"), mapRoot()), script) as string[];
  assertEquals(result.splice(-2), ["number", "0"]);
  assertEquals(result.length, 9);
  for (const words of result) {
    assertStringIncludes(
      words,
      "UnsupportedError: /proc belongs to another pid namespace",
    );
  }
});

/** A recipe with these lines in /etc/subuid and /etc/subgid. */
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

test("an unprivileged user maps ranges of /etc/subuid, and can change the user in there", () => {
  const script = `
    const box = recipe(unshare("user", "mount"), ${RANGES}, setUser({ uid: 7, gid: 8, groups: [9] }));
    console.log(JSON.stringify(inside(box, "id -u; id -G; cat /proc/self/uid_map | tr -s ' '")));`;
  const seen = runIn(withSubordinateIds("65534:300000:65536\n").with(ordinary), script);
  assertEquals(seen, "7\n8 9\n 0 65534 1\n 1 300000 1000");
}, noTools);

test("ranges that are not in /etc/subuid are reported, and nothing is left", () => {
  const script = `
    const errors = [1, 2, 3].map(() => errorOf(recipe(unshare("user", "mount"), ${RANGES})));
    console.log(JSON.stringify(errors[2]));`;
  const result = runIn(withSubordinateIds("65534:300000:10\n").with(ordinary), script) as Result;
  assertEquals(result.name, "UnsupportedError");
  assertMatch(
    result.message,
    /^step 2 \(mapIds\): newuidmap [^]*\n {2}\/etc\/subuid .*subuid\(5\)$/,
  );
}, noTools);

test("an overlay of a script in a user namespace can be changed", () => {
  const box = recipe(
    unshare("user", "mount"),
    mapRoot(),
    tmpfs("/mnt"),
    mkdir("/mnt/lower/a"),
    writeFile("/mnt/lower/a/b", "soup\n"),
  );
  const script = `
    const lower = "/mnt/lower";
    const box = recipe(unshare("mount"), ramekin.overlay(lower, { lower: [lower], discard: true }));
    console.log(JSON.stringify(inside(box, "rm -r /mnt/lower/a; ls /mnt/lower")));`;
  assertEquals(runIn(box, script), "");
});
