/** `devices`. */

import { assertEquals, assertMatch } from "@std/assert";
import { devices, mapRoot, mount, mqueue, recipe, tmpfs, unshare } from "../../mod.ts";
import { assertFails, assertRefused, failing, inside, test, testOn } from "../support.ts";

testOn(["mount"], "every device works, and there are no others", (mounts) => {
  const box = mounts.with(devices());
  const seen = inside(
    box,
    `ls -A /dev | tr '\\n' ' '; echo
    echo soup > /dev/null; cat /dev/null
    head -c 2 /dev/zero | od -An -tx1
    head -c 9 /dev/random | wc -c
    head -c 9 /dev/urandom | wc -c
    stat -c '%t:%T %F' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
    readlink /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/ptmx
    echo stew | cat /dev/stdin
    echo ragout > /dev/stdout`,
  );
  assertEquals(seen.split("\n"), [
    "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero ",
    " 00 00",
    "9",
    "9",
    ...["1:3", "1:5", "1:7", "1:8", "1:9", "5:0"].map((it) => `${it} character special file`),
    "/proc/self/fd",
    "/proc/self/fd/0",
    "/proc/self/fd/1",
    "/proc/self/fd/2",
    "pts/ptmx",
    "stew",
    "ragout",
  ]);
  assertMatch(failing(box, "head -c 1 /dev/zero > /dev/full"), /No space left/);
});

testOn(["mount"], "shared memory is the container's own, and for everyone", (mounts) => {
  const seen = inside(
    mounts.with(devices()),
    "ls -A /dev/shm; stat -c %a /dev/shm; touch /dev/shm/a",
  );
  assertEquals(seen, "1777");
});

testOn(["mount"], "terminals are the container's own, and can be opened", (mounts) => {
  const box = mounts.with(devices());
  assertEquals(inside(box, "ls /dev/pts"), "ptmx");
  assertEquals(
    inside(box, "script -qec 'tty; test -t 0' /dev/null < /dev/null").trim(),
    "/dev/pts/0",
  );
});

testOn(["mount"], "the directories of the mounts are without setuid and programs", (mounts) => {
  const lines = inside(mounts.with(devices()), "grep -E ' /dev(/pts|/shm)? ' /proc/self/mountinfo");
  const own = lines.split("\n").slice(-3);
  for (const line of own) assertMatch(line, / rw,nosuid,noexec/);
});

testOn(["mount", "ipc"], "more can be mounted in it, and it can lie elsewhere", (mounts) => {
  const box = mounts.with(devices(), mqueue(), tmpfs("/mnt"), devices("/mnt/dev"));
  assertEquals(
    inside(box, "ls -d /dev/mqueue; echo soup > /mnt/dev/null; ls /mnt/dev/pts"),
    "/dev/mqueue\nptmx",
  );
});

test("devices can be bound again from a container's own", () => {
  const box = recipe(unshare("user", "mount"), mapRoot(), devices(), devices());
  assertEquals(inside(box, "head -c 1 /dev/zero | wc -c"), "1");
});

test("devices on the host, or with an invalid target, are refused", () => {
  assertRefused(() => recipe(unshare("user"), devices()), {
    step: "devices",
    at: 1,
    says: 'put unshare("mount") before it',
  });
  assertRefused(() => recipe(unshare("user", "mount"), devices("dev")), {
    step: "devices",
    at: 1,
    says: "has to begin with /",
  });
  assertFails(recipe(unshare("user", "mount"), mapRoot(), devices("/no/such/directory")), {
    step: "devices",
    at: 2,
    code: "ENOENT",
    says: "does not exist",
  });
});

test("missing devices of the host are reported", () => {
  const box = recipe(
    unshare("user", "mount"),
    mapRoot(),
    mount("none", "/dev", { type: "tmpfs" }),
    devices(),
  );
  assertFails(box, {
    step: "devices",
    at: 3,
    code: "ENOENT",
    says: "missing at this step",
  });
});
