/** Mountinfo, read: against the kernel, against a slow reader, and on made-up mounts. */

import { assert, assertEquals } from "@std/assert";
import { type MountEntry, parseMountinfo } from "../../ffi/proc/mountinfo.ts";
import { mountsOf } from "../../mod.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { rounds } from "../rounds.ts";

// Loaded before the first test, which would be said to leak it: the engine stays.
engine();

/** A line as the kernel writes it (show_mountinfo in fs/proc_namespace.c). */
function lineOf(mount: MountEntry): string {
  const { shared, master, propagateFrom, unbindable } = mount.propagation;
  const optional = [
    shared === undefined ? "" : ` shared:${shared}`,
    master === undefined ? "" : ` master:${master}`,
    propagateFrom === undefined ? "" : ` propagate_from:${propagateFrom}`,
    unbindable === undefined ? "" : " unbindable",
  ].join("");
  const { major, minor } = mount.device;
  return `${mount.id} ${mount.parent} ${major}:${minor} ${escape(mount.root)} ${
    escape(mount.target)
  } ${mount.options.join(",")}${optional} - ${escape(mount.type)} ${escape(mount.source)} ${
    escape(mount.data)
  }\n`;
}

function escape(text: string): string {
  return text.replace(
    /[ \t\n\\#]/g,
    (character) => "\\" + character.charCodeAt(0).toString(8).padStart(3, "0"),
  );
}

/** Numbers that look random and are the same each time (xorshift32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function randomMount(random: (below: number) => number): MountEntry {
  const pick = <T>(items: readonly T[]) => items[random(items.length)]!;
  const text = (min: number) => {
    let made = "";
    const length = min + random(12);
    for (let i = 0; i < length; i++) made += pick([..."ab/é漢😀\\#- \t\n:,=0134", "\\040", " - "]);
    return made;
  };
  return {
    id: random(1e9),
    parent: random(1e9),
    device: { major: random(4096), minor: random(2 ** 20) },
    root: `/${text(0)}`,
    target: `/${text(0)}`,
    options: pick([["rw"], ["ro", "nosuid", "nodev"], ["rw", "relatime"]]),
    propagation: {
      ...(random(2) ? { shared: random(1000) } : {}),
      ...(random(2) ? { master: random(1000) } : {}),
      ...(random(2) ? { propagateFrom: random(1000) } : {}),
      ...(random(4) ? {} : { unbindable: true as const }),
    },
    type: pick(["tmpfs", "ext4", "fuse.sshfs", "nsfs"]),
    // A source may be empty.
    source: text(0),
    data: text(1),
  };
}

Deno.test("random mounts in the kernel's format are parsed back", () => {
  const random = numbers(20260601);
  for (let round = 0; round < rounds(2000); round++) {
    const mounts = Array.from({ length: random(4) }, () => randomMount(random));
    assertEquals(parseMountinfo(mounts.map(lineOf).join("")), mounts);
  }
});

Deno.test("an unknown optional field is ignored", () => {
  const [mount] = parseMountinfo("1 2 0:3 / /a rw new:7 shared:5 newer - tmpfs  rw\n");
  assertEquals(mount!.propagation, { shared: 5 });
  assertEquals([mount!.type, mount!.source, mount!.data], ["tmpfs", "", "rw"]);
});

Deno.test("the mounts of this process are those of /proc/self/mountinfo", () => {
  const mounts = mountsOf(Deno.pid);
  const lines = Deno.readTextFileSync("/proc/self/mountinfo").trimEnd().split("\n");
  assertEquals(mounts.map(lineOf).join("").trimEnd().split("\n"), lines);
  assertEquals(mountsOf({ pid: Deno.pid }), mounts);
  assertEquals(mountsOf(), mounts);
  assert(mounts.some(({ target, type }) => target === "/proc" && type === "proc"));
});
