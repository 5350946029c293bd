/** The credentials that plans depend on. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { CurrentCredentials } from "../../host/credentials.ts";
import { linux } from "../../mod.ts";
import { notRoot, test } from "../support.ts";

test("capabilities that come back are told, also where they have gone with a group", () => {
  const current = new CurrentCredentials();
  const [capabilities, groups] = [linux.capget(), linux.getgroups()];
  const first = current.get();
  assertEquals(first.mayChangeGroups, true);
  assertStrictEquals(current.get(), current.get());
  try {
    linux.setgroups([first.egid, 424242]);
    linux.capset({
      ...capabilities,
      effective: capabilities.effective.filter((name) => name !== "CAP_SETGID"),
    });
    const less = current.get();
    assertEquals([less.groups, less.mayChangeGroups], ["others", false]);
    linux.capset(capabilities);
    const more = current.get();
    assertEquals([more.groups, more.mayChangeGroups], ["others", true]);
  } finally {
    linux.capset(capabilities);
    linux.setgroups(groups);
  }
}, notRoot);

test("few files that may be open are told, and not each change of their number", () => {
  const current = new CurrentCredentials();
  const before = linux.prlimit(0, "NOFILE");
  const first = current.get();
  try {
    linux.prlimit(0, "NOFILE", { ...before, soft: 1023 });
    assertEquals(current.get().mayOpenMany, false);
    linux.prlimit(0, "NOFILE", { ...before, soft: 1024 });
    const many = current.get();
    assertEquals(many.mayOpenMany, true);
    linux.prlimit(0, "NOFILE", { ...before, soft: 1025 });
    assertStrictEquals(current.get(), many);
  } finally {
    linux.prlimit(0, "NOFILE", before);
  }
  assertEquals(current.get(), first);
});
