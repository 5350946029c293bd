/** `ramekin check`: what the host supports, as it is, and with something missing. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hierarchies, landlockVersion } from "../../host.ts";
import {
  landlock,
  limits,
  linux,
  mapRoot,
  type Recipe,
  recipe,
  remount,
  sandbox,
  seccomp,
  sysctl,
  tmpfs,
  unshare,
  userNetwork,
} from "../../mod.ts";
import { findingsText } from "../../scripts/ramekin/check.ts";
import { failed, type Finding, trial } from "../../scripts/ramekin/check_result.ts";
import { isInstalled } from "../../scripts/ramekin/host_checks.ts";
import { plain } from "../../scripts/ramekin/output.ts";
import { decode } from "../other_scripts.ts";
import { notRoot, test } from "../support.ts";
import { ramekin, RUN } from "./support.ts";

test("check reports what works", async () => {
  const { code, stdout, stderr } = await ramekin("check", "--json");
  assertEquals(stderr, "");
  const { kernel, machine, findings } = JSON.parse(stdout);
  assertEquals([kernel, machine], [linux.uname().release, linux.uname().machine]);
  const found = new Map<string, Finding>(findings.map((one: Finding) => [one.name, one]));
  const works = (name: string) => found.get(name)!.works;
  assertEquals(works("ramekin sandbox"), trial(sandbox()) === undefined);
  assertEquals(code, works("ramekin sandbox") ? 0 : 1);
  assertEquals(works("seccomp filters"), trial(recipe(seccomp())) === undefined);
  assertEquals(works("user namespaces"), trial(recipe(unshare("user"), mapRoot())) === undefined);
  const tries: Readonly<Record<string, Recipe>> = {
    "control groups": recipe(limits({})),
    "Landlock": recipe(landlock({ read: ["/"] })),
    "a network for ordinary users": recipe(unshare("user", "net"), mapRoot(), userNetwork()),
  };
  for (const [name, box] of Object.entries(tries)) {
    if (works(name)) assertEquals(trial(box), undefined, name);
  }
  for (const { name, works, says } of findings as Finding[]) {
    assert(works || says !== "", `${name} does not say why it does not work`);
  }
});

test("check reports what does not work, and the fix", async () => {
  const [program, ...args] = [...RUN, "check"];
  const closed = recipe(
    unshare("user"),
    mapRoot(),
    sysctl({ "user.max_user_namespaces": 0, "user.max_uts_namespaces": 0 }),
  );
  const { code, stdout } = await closed.command(program!, { args, env: { NO_COLOR: "1" } })
    .output();
  const text = decode(stdout);
  assertEquals(code, 1, text);
  assertMatch(
    text,
    /^no {3}user namespaces +clone3? fails with (ENOSPC|EUSERS)\n {7}only 0 user namespaces/m,
  );
  assertMatch(text, /sysctl -w user\.max_user_namespaces=10000/);
  assertMatch(text, /^no {3}uts namespaces /m);
  assertMatch(text, /^no {3}ramekin sandbox /m);
  if (landlockVersion() >= 3) {
    assertMatch(text, /^yes {2}ramekin sandbox --degrade +a weaker one: it sees all processes/m);
  }
  assertMatch(text, /^yes {2}net namespaces /m);
});

/** What check says where a recipe has changed the machine. */
async function checkIn(box: Recipe): Promise<string> {
  const [program, ...args] = [...RUN, "check"];
  const { stdout } = await box.command(program!, { args, env: { NO_COLOR: "1" } }).output();
  return decode(stdout);
}

const noGroups = notRoot ?? (trial(recipe(limits({}))) && "needs a control group");

test("groups that something covers, or that are read-only, are no other user's", async () => {
  const own = recipe(unshare("mount"));
  const tops = hierarchies().map(({ top }) => top);
  const covered = await checkIn(own.with(...tops.map((top) => tmpfs(top))));
  assertMatch(
    covered,
    /^no {3}control groups .* cannot be reached: something is mounted over it\n {7}unmount that/m,
  );
  const readOnly = await checkIn(own.with(...tops.map((top) => remount(top, "ro"))));
  assertMatch(
    readOnly,
    /^no {3}control groups .* is read-only\n {7}mount it to be written; a container engine/m,
  );
}, noGroups && String(noGroups));

const noTunnel = ["pasta", "slirp4netns"].some(isInstalled)
  ? existsDirectory("/dev/net") ? undefined : "needs /dev/net"
  : "needs pasta or slirp4netns";

test("a network for ordinary users is tried: without /dev/net/tun there is none", async () => {
  const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/dev/net"));
  assertMatch(
    await checkIn(box),
    /^no {3}a network for ordinary users .*(tun|could not connect).*\n {7}modprobe tun/m,
  );
}, noTunnel);

function existsDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

test("a trial distinguishes a container that was made from one that was not", () => {
  assertEquals(trial(recipe()), undefined);
  const error = trial(recipe(unshare("user"), mapRoot(), sysctl({ "user.no_such_setting": 1 })));
  const finding = failed("settings", error!);
  assertEquals(finding.works, false);
  assertMatch(finding.says, /^openat2? fails with ENOENT$/);
  assertStringIncludes(finding.fix!, "no such setting");
});

test("results are a line each, with the fix below", () => {
  const findings: Finding[] = [
    { name: "one", works: true, says: "" },
    { name: "three", works: false, says: "broken", fix: "fix it" },
  ];
  assertEquals(findingsText(findings, plain), "yes  one\nno   three  broken\n       fix it");
});
