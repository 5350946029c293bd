/** The mounts of config.json: as steps, and what a program finds. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { mountSteps } from "../../oci/config/mounts.ts";
import { RootPaths } from "../../oci/config/paths.ts";
import type { ConfigMount } from "../../oci/spec.ts";
import { MOUNT_OPTIONS } from "../../oci/verbs/features.ts";
import { checkedSteps } from "../../recipe/check.ts";
import { notRoot, root, test } from "../support.ts";
import { Kitchen, noBusybox } from "./support.ts";

const CONTEXT = {
  root: "/nonesuch/root",
  paths: new RootPaths("/nonesuch/root"),
  bundle: "/bundle",
  hierarchies: [],
  groups: [],
  early: false,
  ownCgroups: true,
  mayShare: true,
  userMap: undefined,
};

const target = "/nonesuch/root/b";

const made = (
  entry: Partial<ConfigMount>,
  context: Partial<Parameters<typeof mountSteps>[1]> = {},
) =>
  checkedSteps(mountSteps([{ destination: "/a/../b", source: "src", ...entry }], {
    ...CONTEXT,
    ...context,
  }));
const steps = (type: string, ...options: string[]) => made({ type, options });
const shown = { step: "bind", source: "/bundle/src", target, restrict: [], make: true } as const;

test("every option of a mount has its step, or is refused by name", () => {
  assertEquals(steps("bind", "rbind", "ro", "rnosuid", "rslave", "", "exec"), [
    { ...shown, recursive: true },
    { step: "remount", target, options: "ro", keep: true },
    { step: "remount", target, options: "nosuid", keep: true, recursive: true },
    { step: "propagation", target, type: "slave", recursive: true },
  ]);
  // Of opposites the last one counts, and those that lift are for mounts below too.
  assertEquals(steps("bind", "bind", "ro", "noexec", "rw", "rro", "rrw", "ratime"), [
    { ...shown, recursive: false },
    { step: "remount", target, options: "noexec", keep: true },
    { step: "remount", target, options: "ro,rw,atime", keep: true, recursive: true },
  ]);
  assertEquals(steps("tmpfs", "rw", "nosuid", "size=64k", "ro", "private"), [
    {
      step: "mount",
      source: "src",
      target,
      type: "tmpfs",
      make: true,
      options: "rw,nosuid,size=64k,ro",
    },
    { step: "propagation", target, type: "private", recursive: false },
  ]);
  assertEquals(steps("tmpfs", "remount", "ro", "size=1m"), [
    { step: "remount", target, options: "ro,size=1m", bind: false },
  ]);
  assertEquals(steps("none", "remount", "bind", "nodev"), [
    { step: "remount", target, options: "nodev" },
  ]);
  assertEquals(steps("bind", "bind", "rshared")[0], { ...shown, recursive: false, shared: true });
  for (const option of ["idmap", "size=1m", "tmpcopyup", "idmap=uids=1-2-3", "idmap=u:0:1:2"]) {
    assertThrows(() => steps("bind", "bind", option), Error, "mounts[0].options");
  }
  const options = ["bind", "shared"];
  assertThrows(() => made({ options }, { mayShare: false }), Error, "mounts[0].options");
  assertThrows(() => made({ type: "tmpfs", destination: "/" }), Error, "mounts[0].destination");
});

test("the ids of a mount are its own, or those of the container", () => {
  const mappings = [{ containerID: 0, hostID: 1000, size: 5 }];
  const own = [{ inside: 0, outside: 1000, count: 5 }];
  const userMap = { uids: [{ inside: 0, outside: 7, count: 9 }], gids: own };
  const idMap = (entry: Partial<ConfigMount>, ...options: string[]) => {
    const [step] = made({ options: ["rbind", ...options], ...entry }, { userMap });
    return step!.step === "bind" ? step.idMap : undefined;
  };
  const mapped = { uidMappings: mappings, gidMappings: mappings };
  assertEquals(idMap(mapped), { uids: own, gids: own, recursive: false });
  assertEquals(idMap(mapped, "ridmap"), { uids: own, gids: own, recursive: true });
  assertEquals(idMap({}, "idmap"), { ...userMap, recursive: false });
  assertEquals(idMap({}), undefined);
  assertEquals(idMap({}, "idmap=uids=0-7-9;gids=0-1000-2#2-1002-3"), {
    uids: userMap.uids,
    gids: [{ inside: 0, outside: 1000, count: 2 }, { inside: 2, outside: 1002, count: 3 }],
    recursive: false,
  });
  assertThrows(() => idMap({ uidMappings: mappings }), Error, "mounts[0].uidMappings");
  assertThrows(() => made({ type: "tmpfs", ...mapped }), Error, "mounts[0].uidMappings");
});

test("a directory is copied up into memory of the size and the mode that it is to have", () => {
  const context = { root: "/", bundle: "/" };
  const copied = (...options: string[]) =>
    checkedSteps(mountSteps([{ destination: "/etc", type: "tmpfs", options }], {
      ...CONTEXT,
      ...context,
      root: "",
    }));
  assertEquals(copied("tmpcopyup", "nosuid", "rw", "size=1m", "mode=1777"), [
    { step: "overlay", target: "/etc", lower: ["/etc"], discard: true, size: "1m", mode: 0o1777 },
    { step: "remount", target: "/etc", options: "nosuid", keep: true },
  ]);
  assertThrows(() => copied("tmpcopyup", "uid=5"), Error, "beside tmpcopyup");
});

test("every option that features names is one that a mount can have", () => {
  for (const option of MOUNT_OPTIONS) {
    const userMap = { uids: [{ inside: 0, outside: 7, count: 9 }], gids: [] };
    const words = ["bind", "rbind"].includes(option) ? [option] : ["bind", option];
    const isOfBind = !/^(remount|(dir)?sync|mand|lazytime|iversion|silent|tmpcopyup)$/.test(option);
    if (isOfBind) {
      mountSteps([{ destination: "/b", source: "/s", options: words }], { ...CONTEXT, userMap });
    } else assertEquals(steps("tmpfs", option).length, 1, option);
  }
});

test("a program finds files of other owners, lifted restrictions, and its own copies", async () => {
  using kitchen = new Kitchen();
  const source = `${kitchen.directory}/shown`;
  const open = `${kitchen.directory}/open`;
  for (const path of [source, open]) Deno.mkdirSync(path);
  Deno.chmodSync(open, 0o777);
  Deno.writeTextFileSync(`${source}/file`, "");
  for (const name of ["grep", "touch", "cut"]) {
    Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
  }
  Deno.writeTextFileSync(kitchen.file("/etc/kept"), "kept\n");
  Deno.mkdirSync(kitchen.file("/closed"));
  Deno.chmodSync(kitchen.file("/closed"), 0o1715);
  const script =
    `cat /etc/kept; touch /etc/new; stat -c %a /etc; grep ' /etc ' /proc/mounts | cut -d' ' -f3;
    touch /lifted/x && echo written; touch /remounted/x 2>&1; stat -c '%u %g' /mapped/file;
    stat -c %a /closed`;
  kitchen.configure(script, ({ linux, mounts }) => {
    mounts!.push(
      {
        destination: "/etc",
        type: "tmpfs",
        source: "t",
        options: ["tmpcopyup", "mode=0711", "size=1m"],
      },
      { destination: "/lifted", source: open, options: ["bind", "ro", "rrw"] },
      { destination: "/remounted", type: "tmpfs", source: "t" },
      { destination: "/closed", type: "tmpfs", source: "t" },
      { destination: "/remounted", type: "tmpfs", source: "t", options: ["remount", "ro"] },
      { destination: "/mapped", source, options: ["bind", ...root ? ["idmap"] : []] },
    );
    if (!root) return;
    linux.namespaces!.push({ type: "user" });
    const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    [linux.uidMappings, linux.gidMappings] = [map, map];
    for (const path of ["", "/bin", "/dev", "/etc", "/proc", "/sys", "/tmp"]) {
      Deno.chownSync(kitchen.file(path), 100_000, 100_000);
    }
  });
  assertEquals(await kitchen.run(), {
    code: 0,
    stdout: [
      "kept",
      "711",
      "tmpfs",
      "overlay",
      "written",
      "touch: /remounted/x: Read-only file system",
      "0 0",
      "1715",
      "",
    ].join("\n"),
    stderr: "",
  });
}, noBusybox);

test("a mount whose ids cannot be mapped is an error with its reason", async () => {
  using kitchen = new Kitchen();
  const mappings = [{ containerID: 0, hostID: 1000, size: 5 }];
  kitchen.configure("true", ({ mounts }) => {
    mounts!.push({
      destination: "/x",
      source: "/proc",
      options: ["bind", "idmap"],
      uidMappings: mappings,
      gidMappings: mappings,
    });
  });
  const { code, stderr } = await kitchen.run();
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    "invalid argument (the filesystem of /proc, or one below it, does not",
  );
}, notRoot ?? noBusybox);
