/** The tables of the OCI runtime, without a container. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { assembleRules } from "../../oci/cgroups/device_program.ts";
import { parseMounts } from "../../oci/cgroups/hierarchies.ts";
import { applyResources } from "../../oci/cgroups/resources.ts";
import { readFlags } from "../../oci/command_line.ts";
import { checkLabels, checkMountLabel } from "../../oci/config/labels.ts";
import { readConfig } from "../../oci/create.ts";
import { OciError } from "../../oci/errors.ts";
import { commandText, engineLines } from "../../oci/install.ts";
import { GLOBAL_FLAGS } from "../../oci/runtime.ts";
import type { ConfigProcess, ConfigResources, DeviceRule } from "../../oci/spec.ts";
import { inDirectory, test } from "../support.ts";

/** Runs a program of the device rules: whether it allows what is asked. */
function allows(code: Uint8Array<ArrayBuffer>, asked: readonly number[]): boolean {
  const view = new DataView(code.buffer);
  const registers = new Array<number>(11).fill(0);
  for (let at = 0;; at++) {
    const [operation, both] = [view.getUint8(at * 8), view.getUint8(at * 8 + 1)];
    const [to, from] = [both & 15, both >> 4];
    const [offset, value] = [view.getInt16(at * 8 + 2, true), view.getInt32(at * 8 + 4, true)];
    switch (operation) {
      case 0x61:
        registers[to] = asked[offset / 4]!;
        break;
      case 0xb7:
        registers[to] = value;
        break;
      case 0xbf:
        registers[to] = registers[from]!;
        break;
      case 0x57:
        registers[to]! &= value;
        break;
      case 0x77:
        registers[to]! >>>= value;
        break;
      case 0x55:
        if (registers[to] !== value) at += offset;
        break;
      case 0x15:
        if (registers[to] === value) at += offset;
        break;
      case 0x5d:
        if (registers[to] !== registers[from]) at += offset;
        break;
      case 0x95:
        return registers[0] === 1;
      default:
        throw new Error(`unknown instruction ${operation}`);
    }
  }
}

test("the program of device rules decides as the rules do", () => {
  const rules: DeviceRule[] = [
    { allow: false, access: "rwm" },
    { allow: true, type: "c", major: 1, minor: 3, access: "rwm" },
    { allow: true, type: "c", major: 5, access: "rw" },
    { allow: true, type: "b", access: "m" },
    { allow: false, type: "c", major: 5, minor: 1, access: "w" },
  ];
  const code = assembleRules(rules);
  const letters = { m: 1, r: 2, w: 4 };
  for (const type of ["b", "c"]) {
    for (const major of [1, 5, 7]) {
      for (const minor of [1, 3]) {
        for (const access of ["m", "r", "w", "rw"]) {
          const bits = [...access].reduce((sum, letter) => sum | letters[letter as "m"], 0);
          const asked = [bits << 16 | (type === "b" ? 1 : 2), major, minor];
          const matching = rules.findLast((rule) =>
            (rule.type === undefined || rule.type === type) &&
            (rule.major === undefined || rule.major === major) &&
            (rule.minor === undefined || rule.minor === minor) &&
            (rule.allow
              ? [...access].every((letter) => rule.access!.includes(letter))
              : [...access].some((letter) => rule.access!.includes(letter)))
          );
          assertEquals(allows(code, asked), matching!.allow, `${type} ${major}:${minor} ${access}`);
        }
      }
    }
  }
});

test("no instruction of the program is out of reach, which the kernel refuses", () => {
  const all = (allow: boolean) => assembleRules([{ allow: true, type: "c" }, { allow }]).length / 8;
  assertEquals([all(true), all(false)], [8, 8]);
  assertEquals(assembleRules([{ allow: true, type: "c" }]).length / 8, 6 + 3 + 2);
});

test("hierarchies are those that can be seen", () => {
  const text = `30 29 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
31 29 0:27 / /sys/fs/cgroup/systemd rw - cgroup none rw,xattr,name=systemd
32 29 0:28 / /sys/fs/cgroup/unified rw - cgroup2 none rw,nsdelegate
33 29 0:29 / /elsewhere rw - cgroup2 none rw
34 29 0:28 / /sys/fs/cgroup/again rw - cgroup2 none rw
`;
  const covered = "/sys/fs/cgroup/systemd";
  const found = parseMounts(
    text,
    (path) => path === covered ? 99 : { cpu: 26, unified: 28, again: 28 }[path.split("/").at(-1)!],
  );
  assertEquals(found, [
    { version: 1, names: ["cpu", "cpuacct"], top: "/sys/fs/cgroup/cpu" },
    { version: 2, names: [], top: "/sys/fs/cgroup/unified" },
  ]);
});

test(
  "resources are written in the terms of each version",
  inDirectory((path) => {
    const resources: ConfigResources = {
      memory: { limit: 1000, swap: 1500, reservation: -1 },
      cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: "0" },
      pids: { limit: 0 },
      blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 9 }] },
    };
    const written = (version: 1 | 2, files: Readonly<Record<string, string>>) => {
      const directory = `${path}/${version}`;
      Deno.mkdirSync(directory);
      for (const name of Object.keys(files)) Deno.writeTextFileSync(`${directory}/${name}`, "0");
      const names = version === 1 ? ["memory", "cpu", "cpuset", "pids", "blkio"] : [];
      const hierarchy = { version, names, top: path };
      applyResources([{ hierarchy, path: directory }], resources);
      for (const [name, text] of Object.entries(files)) {
        assertEquals(Deno.readTextFileSync(`${directory}/${name}`), text, name);
      }
    };
    written(1, {
      "memory.limit_in_bytes": "1000",
      "memory.memsw.limit_in_bytes": "1500",
      "memory.soft_limit_in_bytes": "-1",
      "cpu.shares": "1024",
      "cpu.cfs_quota_us": "50000",
      "cpu.cfs_period_us": "100000",
      "cpuset.cpus": "0",
      "pids.max": "max",
      "blkio.throttle.read_bps_device": "8:0 9",
    });
    written(2, {
      "memory.max": "1000",
      "memory.swap.max": "500",
      "memory.low": "max",
      "cpu.weight": "39",
      "cpu.max": "50000 100000",
      "cpuset.cpus": "0",
      "pids.max": "max",
      "io.max": "8:0 rbps=9",
    });
    const none = { version: 2, names: [], top: path } as const;
    const apply = (given: ConfigResources) => applyResources([{ hierarchy: none, path }], given);
    assertThrows(() => apply({ memory: { limit: 5 } }), Error, "linux.resources.memory.limit");
    assertThrows(
      () => apply({ network: { classID: 5 } }),
      Error,
      "linux.resources.network.classID",
    );
    assertThrows(() => apply({ unified: { "a/b": "1" } }), Error, "linux.resources.unified.a/b");
  }),
);

test("labels of security modules are refused, and none is not", () => {
  const refused: [ConfigProcess, string][] = [
    [{ apparmorProfile: "some" }, "process.apparmorProfile"],
    [{ selinuxLabel: "u:r:t:s0" }, "process.selinuxLabel"],
  ];
  for (const [process, words] of refused) assertThrows(() => checkLabels(process), OciError, words);
  assertThrows(() => checkMountLabel("u:object_r:t:s0"), OciError, "linux.mountLabel");
  checkLabels({ apparmorProfile: "unconfined", selinuxLabel: "" });
  checkMountLabel("");
});

test("flags are read in all their forms, and unknown ones refused", () => {
  const words = ["--root", "/r", "--log=/l", "--debug", "create", "--bundle", "/b"];
  const { flags, words: rest } = readFlags(words, GLOBAL_FLAGS);
  assertEquals(Object.fromEntries(flags), { root: ["/r"], log: ["/l"], debug: ["true"] });
  assertEquals(rest, ["create", "--bundle", "/b"]);
  assertThrows(() => readFlags(["--what"], GLOBAL_FLAGS), Error, "unknown flag --what");
  assertThrows(() => readFlags(["--root"], GLOBAL_FLAGS), Error, "needs a value");
});

test("the command takes any path", () => {
  const text = commandText({
    deno: "/a $' b@cache@/deno",
    module: "/it's/oci.js",
    cache: "/c",
    path: "/p",
    remover: "/d",
    asker: "/it's/ask",
    build: "0123",
  });
  assertEquals(text.includes(`exec '/a $'\\'' b@cache@/deno' run`), true);
  assertEquals(text.includes(`'/it'\\''s/oci.js' "$@"`), true);
  assertEquals(text.includes(`asker='/it'\\''s/ask'\n`), true);
  const { success } = new Deno.Command("/bin/sh", { args: ["-n", "-c", text] }).outputSync();
  assertEquals(success, true);
});

test("podman is told that groups may be left out by the key that it reads, not the documented one", () => {
  assertMatch(engineLines("/x/ramekin-oci"), /^ *runtime_supports_nocgroup = \["ramekin"\]$/m);
});

test(
  "a field of config.json that is null is as one that is not there",
  inDirectory((directory) => {
    const file = `${directory}/config.json`;
    const read = (config: unknown) => {
      Deno.writeTextFileSync(file, JSON.stringify(config));
      return readConfig(file);
    };
    const nulls = {
      hooks: null,
      mounts: null,
      annotations: null,
      process: { args: ["true"], cwd: null, oomScoreAdj: null },
      linux: { namespaces: [{ type: "mount", path: null }], cgroupsPath: null },
    };
    assertEquals(read(nulls), {
      process: { args: ["true"] },
      linux: { namespaces: [{ type: "mount" }] },
    });
    // The entry of a map is no field.
    const message = "linux.netDevices.eth0: expected an object, got null";
    assertThrows(() => read({ linux: { netDevices: { eth0: null } } }), OciError, message);
  }),
);
