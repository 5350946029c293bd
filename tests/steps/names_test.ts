/** `hostname` and `domainname`. */

import { assertEquals } from "@std/assert";
import { domainname, hostname, mapRoot, recipe, unshare } from "../../mod.ts";
import { assertFails, assertRefused, inside, root, test, testOn } from "../support.ts";

testOn(["uts"], "the container has a hostname of its own", (mounts) => {
  const before = Deno.hostname();
  assertEquals(inside(mounts.with(hostname("a-cooler-hostname")), "uname -n"), "a-cooler-hostname");
  assertEquals(Deno.hostname(), before);
});

testOn(["uts"], "the container has a domain name of its own", (mounts) => {
  const file = "/proc/sys/kernel/domainname";
  const before = Deno.readTextFileSync(file);
  assertEquals(inside(mounts.with(domainname("kitchen")), `cat ${file}`), "kitchen");
  assertEquals(Deno.readTextFileSync(file), before);
});

testOn(["uts"], "names may have 64 bytes, and be no ASCII", (mounts) => {
  const name = "ä".repeat(32);
  const box = mounts.with(hostname(name), domainname(name));
  assertEquals(inside(box, "uname -n; cat /proc/sys/kernel/domainname"), `${name}\n${name}`);
});

testOn(["uts"], "of two hostnames the later one stays", (mounts) => {
  assertEquals(inside(mounts.with(hostname("soup"), hostname("stew")), "uname -n"), "stew");
});

test("a hostname that would rename the host is refused", () => {
  assertRefused(() => recipe(unshare("user", "mount"), mapRoot(), hostname("soup")), {
    step: "hostname",
    at: 2,
    says: 'it would rename the host; put unshare("uts") before it',
  });
  assertRefused(() => recipe(domainname("soup")), {
    step: "domainname",
    at: 0,
    says: 'unshare("uts")',
  });
});

test("a name of 65 bytes is refused", () => {
  for (const name of ["x".repeat(65), "ä".repeat(33)]) {
    assertRefused(() => recipe(unshare("uts"), hostname(name)), {
      step: "hostname",
      at: 1,
      says: "the kernel takes at most 64",
    });
  }
});

test("an empty name, one with NUL and one that is not a text are refused", () => {
  assertRefused(() => recipe(hostname("")), { step: "hostname", at: 0, says: "is empty" });
  assertRefused(() => recipe(hostname("a\0b")), { step: "hostname", at: 0, says: "NUL" });
  assertRefused(() => recipe(hostname(7 as never)), {
    step: "hostname",
    at: 0,
    says: "should be a string, not 7",
  });
});

test("changing the name in a uts namespace of the host's user namespace needs root", () => {
  const box = recipe(unshare("uts"), hostname("soup"));
  if (root) assertEquals(inside(box, "uname -n"), "soup");
  else assertFails(box, { step: "unshare", at: 0, code: "EPERM", says: 'put "user" among' });
});
