/** `ramekin schema`: the schema and the validation of steps agree. */

import { assert, assertEquals, assertExists } from "@std/assert";
import * as ramekin from "../../mod.ts";
import { recipe, sandbox, type Step } from "../../mod.ts";
import type { JsonSchema, Schema } from "../../recipe/schema.ts";
import { STEP_SCHEMAS } from "../../recipe/steps.ts";
import { recipeSchema } from "../../yaml/json_schema.ts";
import { test } from "../support.ts";
import { misfit } from "./json_schema.ts";
import { ramekin as run } from "./support.ts";

const SCHEMA = recipeSchema();

/** Steps of every kind, with all of their fields in some. */
const STEPS: readonly Step[] = [
  ramekin.address("eth0", "10.0.0.2/24"),
  ramekin.bind("../usr", "/usr", {
    readOnly: true,
    recursive: false,
    optional: true,
    restrict: ["nosuid"],
  }),
  ramekin.bounds({ pids: 100, timeout: "unlimited", output: "1m", degrade: true }),
  ramekin.bridge("br0", { ports: ["eth0"] }),
  ramekin.capabilities({ keep: ["CAP_CHOWN"] }),
  ramekin.capabilities({
    bounding: [],
    permitted: [],
    effective: [],
    inheritable: [],
    ambient: [],
  }),
  ramekin.chdir("/"),
  ramekin.chroot("/srv"),
  ramekin.clearEnv({ keep: ["HOME"] }),
  ramekin.cpuAffinity("0-3,7"),
  ramekin.denyFiles({ read: ["/home/me/work/.env"], write: ["/home/me/work/deploy"] }),
  ramekin.devices(),
  ramekin.dieWithParent("SIGTERM"),
  ramekin.dieWithParent(null),
  ramekin.disableUserNamespaces(),
  ramekin.domainname("example.org"),
  ramekin.dummy("dummy0"),
  ramekin.hostname("box"),
  ramekin.init(),
  ramekin.ioPriority("best-effort", 7),
  ramekin.join(1, "net", { root: true, cwd: true, environment: true, cgroup: true }),
  ramekin.join("/run/net"),
  ramekin.join({ pid: 1, started: 2 }, { credentials: "keep" }),
  ramekin.landlock({ read: ["/usr"], connectTcp: [443], degrade: true }),
  ramekin.joinCgroup("/sys/fs/cgroup/jobs"),
  ramekin.limits({
    memory: "64m",
    memoryHigh: 1000,
    swap: "unlimited",
    cpus: 0.5,
    cpuWeight: 10,
    pids: 5,
    io: [{ device: "8:0", readBps: "1m", writeIops: 10 }],
    cpuset: "0-1,3",
  }),
  ramekin.loopback(),
  ramekin.mapCurrentUser(),
  ramekin.mapIds({
    uids: [{ inside: 0, outside: 1000, count: 1 }],
    gids: [{ inside: 0, outside: 1000, count: 1 }],
    setgroups: "deny",
  }),
  ramekin.mapRoot(),
  ramekin.maskPaths("/proc/kcore"),
  ramekin.memoryPolicy("bind", { nodes: "0", flags: ["static-nodes"] }),
  ramekin.mkdir("/tmp/x", { mode: 0o700, host: true }),
  ramekin.mknod("/tmp/x", { type: "c", major: 1, minor: 3 }),
  ramekin.mount("none", "/mnt", { type: "tmpfs", options: "size=1m" }),
  ramekin.mqueue("/dev/mqueue"),
  ramekin.newSession(),
  ramekin.noNewPrivileges(),
  ramekin.bind("/srv", "/mnt", {
    shared: true,
    idMap: {
      uids: [{ inside: 0, outside: 1000, count: 1 }],
      gids: [{ inside: 0, outside: 1000, count: 1 }],
      recursive: false,
    },
  }),
  ramekin.overlay("/mnt", { lower: ["/usr"], discard: true, size: "1m", mode: 0o700 }),
  ramekin.oomScoreAdj(500),
  ramekin.overlay("/mnt", { lower: ["/usr"], discard: true }),
  ramekin.overlay("/mnt", { lower: ["/usr"], upper: "/u", work: "/w" }),
  ramekin.personality("linux32", { flags: ["addr-no-randomize"] }),
  ramekin.pivotRoot("/mnt"),
  ramekin.proc(),
  ramekin.propagation("/", "private"),
  ramekin.protect("/home/me/work", "/work", { names: [".git/hooks"], except: ["/home/me/work/a"] }),
  ramekin.readonlyPaths("/proc/sys"),
  ramekin.remount("/", "ro"),
  ramekin.rlimit("nofile", 10, "unlimited"),
  ramekin.root("/srv", {
    readOnly: true,
    resolvConf: true,
    hosts: { db: "10.0.0.2" },
    volumes: { "/in": { source: "in" } },
  }),
  ramekin.route("default", { via: "10.0.0.1" }),
  ramekin.scheduler("batch", { nice: 5 }),
  ramekin.scheduler("deadline", { runtime: 2e6, deadline: 5e6, period: 1e7, flags: ["reclaim"] }),
  ramekin.seccomp({ allow: ["@mounts", "ptrace"] }),
  ramekin.setEnv({ A: "b" }),
  ramekin.setUser({ uid: 1, gid: 2, groups: [3] }),
  ramekin.symlink("usr/bin", "/bin"),
  ramekin.sysctl({ "net.ipv4.ip_forward": 1, "kernel.shmmax": "100" }),
  ramekin.sysfs("/sys"),
  ramekin.timeOffset({ monotonic: 1.5, boottime: -10 }),
  ramekin.tmpfs("/tmp", { size: "10m", mode: 0o755, options: "nodev" }),
  ramekin.umask(0o22),
  ramekin.unmount("/mnt", { detach: true }),
  ramekin.unshare("user", "mount", { propagation: "slave" }),
  ramekin.veth("eth0", {}),
  ramekin.macvlan("eth0", { parent: "eth1" }),
  ramekin.moveInterface("eth1"),
  ramekin.masquerade("10.0.0.0/24", { inside: true }),
  ramekin.proxy(["*.example.org:443", "10.0.0.0/8"], { deny: ["10.1.0.0/16"] }),
  ramekin.publish(8080, { address: "10.0.0.2", to: 80 }),
  ramekin.userNetwork("pasta"),
  ramekin.programs("/bin/sh", { root: "/srv" }),
  ramekin.writeFile("/tmp/x", "text", { mode: 0o600 }),
];

/** Returns the issue of a recipe with these steps, by the schema. */
function wrong(...steps: unknown[]): string | undefined {
  return misfit({ steps }, SCHEMA, SCHEMA);
}

/** Whether recipe() accepts the step. */
function isTaken(step: unknown): boolean {
  try {
    recipe(step as Step);
    return true;
  } catch (error) {
    if (error instanceof ramekin.RecipeError) return false;
    throw error;
  }
}

/** Returns the issue of the step by its own schema, without the alternatives. */
function wrongAs(step: Step | Record<string, unknown>): string | undefined {
  return misfit(step, { $ref: `#/$defs/${step["step" as keyof typeof step]}` }, SCHEMA);
}

test("the schema has every step, and all fields that JSON can represent", () => {
  const names = new Set(STEPS.map(({ step }) => step as string));
  for (const [name, { fields }] of STEP_SCHEMAS) {
    assert(names.has(name), `no step ${name} is tried here`);
    assertExists((SCHEMA["$defs"] as Record<string, JsonSchema>)[name]);
    for (const [field, schema] of Object.entries<Schema>(fields)) {
      const size = Object.keys(schema.jsonSchema()).length;
      assert(size > 0, `the field "${field}" of ${name} has no schema`);
    }
  }
});

test("valid steps match the schema", () => {
  for (const step of [...STEPS, ...sandbox({ read: ["/usr"] }).steps]) {
    const data = JSON.parse(JSON.stringify(step));
    assert(isTaken(data), JSON.stringify(data));
    assertEquals(wrongAs(data), undefined, JSON.stringify(data));
    assertEquals(wrong(data), undefined);
  }
});

const VALUES = [null, true, -1, 1.5, 1e300, "", "x", "/", "/..", "a=b", [], [1], [""], {}, {
  a: 1,
}];

test("values of an invalid type do not match the schema", () => {
  let tried = 0;
  for (const step of STEPS) {
    for (const field of Object.keys(STEP_SCHEMAS.get(step.step)!.fields)) {
      for (const value of VALUES) {
        const changed = { ...step, [field]: value };
        const issue = STEP_SCHEMAS.get(step.step)!.fields[field]!.issue(value);
        const misfits = wrongAs(changed) !== undefined;
        // For texts the schema has only a pattern, and the fields check the meaning too.
        if (issue === undefined) assert(!misfits, JSON.stringify(changed));
        else if (!isText(value)) assert(misfits, `${JSON.stringify(changed)}: ${issue}`);
        tried++;
      }
    }
  }
  assert(tried > 1000, String(tried));
});

function isText(value: unknown): boolean {
  return typeof (Array.isArray(value) ? value[0] : value) === "string";
}

test("an unknown or missing field does not match the schema", () => {
  for (const step of STEPS) {
    assert(wrongAs({ ...step, salt: 1 })?.includes("salt"), step.step);
    for (const [name, { optional }] of Object.entries(STEP_SCHEMAS.get(step.step)!.fields)) {
      const { [name]: _, ...less } = step as unknown as Record<string, unknown>;
      assertEquals(wrongAs(less) === undefined, optional, `${step.step} without "${name}"`);
    }
  }
});

test("a value that is not a step does not match the schema", () => {
  for (const value of [null, 1, [], {}, { step: "soup" }, { step: 1 }, { include: 1 }]) {
    assert(wrong(value) !== undefined, JSON.stringify(value));
  }
  for (const value of [null, [], {}, { steps: {} }, { steps: [], salt: 1 }]) {
    assert(misfit(value, SCHEMA, SCHEMA) !== undefined, JSON.stringify(value));
  }
});

test("variables and includes match the schema", () => {
  const text = {
    variables: { name: "box", bits: 448, all: null, readOnly: true },
    steps: [
      { step: "hostname", name: "a-${name}" },
      { step: "tmpfs", target: "${directory}/tmp", size: "${size}", mode: "${bits}" },
      { step: "bind", source: "/usr", target: "/usr", readOnly: "${readOnly}" },
      { step: "limits", memory: "${memory}", pids: "${pids}" },
      { include: "more.yaml" },
    ],
  };
  assertEquals(misfit(text, SCHEMA, SCHEMA), undefined);
});

test("ramekin schema writes the schema", async () => {
  const { code, stdout } = await run("schema");
  assertEquals([code, JSON.parse(stdout)], [0, JSON.parse(JSON.stringify(SCHEMA))]);
});
