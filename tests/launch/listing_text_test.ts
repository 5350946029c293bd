/** A plan as text: which calls are on one line, and their notes. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { PlanEntry } from "../../launch/listing.ts";
import { collapse, listingText } from "../../launch/listing_text.ts";
import {
  bind,
  capabilities,
  mapRoot,
  maskPaths,
  mkdir,
  recipe,
  sandbox,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { test } from "../support.ts";

function entriesOf(part: string, ...calls: readonly string[]): PlanEntry[] {
  return calls.map((call) => ({ stepIndex: 0, part, by: "container", call }));
}

function linesOf(entries: readonly PlanEntry[]): string[] {
  return collapse(entries).map(({ first, note }) => first.call + note);
}

test("a series of calls is one line with their number", () => {
  const drops = Array.from({ length: 41 }, (_, cap) => `prctl(PR_CAPBSET_DROP, ${cap}, 0, 0, 0)`);
  const others = ["prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)", "prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)"];
  assertEquals(linesOf(entriesOf("capabilities", ...drops, ...others)), [
    "prctl(PR_CAPBSET_DROP, 0, 0, 0, 0) (41 times)",
    ...others,
  ]);
});

test("the candidates for the program are one line", () => {
  assertEquals(linesOf(entriesOf("program", 'execve("/a/x")', 'execve("/b/x")')), [
    'execve("/a/x") (one of 2)',
  ]);
  assertEquals(linesOf(entriesOf("program", 'execve("/a/x")')), ['execve("/a/x")']);
});

test("calls that depend on a condition stand below it, once for each", () => {
  const entry = (call: string, unless?: string): PlanEntry => ({
    stepIndex: 0,
    part: "bind",
    by: "container",
    call,
    ...(unless !== undefined && { unless }),
  });
  const text = listingText([entry("a()"), entry("b()", "it rains"), entry("c()", "it rains")]);
  assertEquals(text, "1 bind\n    a()\n    unless it rains:\n        b()\n        c()");
});

test("a plan shows which calls depend on what is found", () => {
  const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"), mkdir("/mnt/a"));
  const { entries } = box.with(bind("/mnt/a", "/mnt/b"), maskPaths("/etc/hosts")).plan();
  const conditions = (name: string) =>
    entries.filter(({ call }) => call.startsWith(name)).map(({ unless }) => unless);
  assertEquals(conditions('mkdirat(</mnt>, "b"'), ["the source is not a directory"]);
  assertEquals(conditions('mknodat(</mnt>, "b"'), ["the mount point is there"]);
  assertEquals(conditions("move_mount(<empty"), ["/etc/hosts is missing", "/etc/hosts is a file"]);
  assertEquals(conditions('mkdirat(</mnt>, "a"'), [undefined]);
  assertEquals(conditions('chdir("/")'), [
    "the working directory is open",
    "the directory is entered",
  ]);
});

test("a series ends with its step", () => {
  const [one, other] = [entriesOf("a", "rt_sigaction(1)"), entriesOf("b", "rt_sigaction(2)")];
  assertEquals(
    listingText([...one, ...other]),
    [
      "1 a",
      "    rt_sigaction(1)",
      "1 b",
      "    rt_sigaction(2)",
    ].join("\n"),
  );
});

test("every call of a plan is in its text or is counted there", () => {
  const box = recipe(unshare("user"), mapRoot(), capabilities({ keep: [] }));
  assertStringIncludes(
    listingText(box.plan().entries),
    "prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0) (41 times)",
  );
  const { entries } = sandbox().plan();
  const counted = collapse(entries).map(({ note }) => Number(/\d+/.exec(note)?.[0] ?? 1));
  assertEquals(counted.reduce((sum, count) => sum + count), entries.length);
  assertMatch(listingText(entries), /execve\(.*\) \(one of \d+\)$/);
});
