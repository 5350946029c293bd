/** `unshare`. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { mapRoot, type NamespaceKind, recipe, tmpfs, unshare } from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  grounds,
  inside,
  NAMESPACE_FILES,
  NAMESPACE_KINDS,
  root,
  test,
} from "../support.ts";

function own(kind: NamespaceKind): string {
  return Deno.readLinkSync(`/proc/self/ns/${NAMESPACE_FILES[kind]}`);
}

const READ_ALL = `for kind in ${NAMESPACE_KINDS.map((kind) => NAMESPACE_FILES[kind]).join(" ")}; do
  readlink /proc/self/ns/$kind
done`;

/** The kinds of namespaces that the container and the script do not share. */
function differing(links: string): NamespaceKind[] {
  return NAMESPACE_KINDS.filter((kind, index) => links.split("\n")[index] !== own(kind));
}

for (const kind of NAMESPACE_KINDS) {
  if (kind === "user") continue;
  for (const { name, mounts, privileged } of grounds(kind)) {
    test(`unshare("${kind}") makes that namespace alone, ${name}`, () => {
      const expected: NamespaceKind[] = privileged ? [kind] : ["user", kind];
      assertEquals(differing(inside(mounts, READ_ALL)), expected);
    });
  }
}

test('unshare("user") makes that namespace alone', () => {
  assertEquals(differing(inside(recipe(unshare("user")), READ_ALL)), ["user"]);
});

for (const { name, mounts } of grounds("mount", "pid", "uts", "ipc", "net", "cgroup", "time")) {
  test(`all namespaces at once, ${name}`, () => {
    const differ = differing(inside(mounts, READ_ALL));
    assertEquals(differ.length, name.includes("root") ? 7 : 8);
  });

  test(`the first process of a pid namespace is the program, ${name}`, () => {
    assertEquals(inside(mounts, "echo $$"), "1");
  });

  test(`a network namespace has only its own loopback interface, ${name}`, () => {
    assertEquals(inside(mounts, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"), "lo");
  });

  test(`the cgroup that the container is in is the root of its cgroup namespace, ${name}`, () => {
    const groups = inside(mounts, "cut -d: -f3 /proc/self/cgroup | sort -u");
    assertEquals(groups, "/");
  });

  test(`message queues and semaphores of the host are not visible, ${name}`, () => {
    assertEquals(inside(mounts, "wc -l < /proc/sysvipc/shm"), "1");
  });
}

test("namespaces can be made one after the other, and a pid namespace late", () => {
  const late = root ? recipe(unshare("uts")) : recipe(unshare("user", "uts"), mapRoot());
  const box = late.with(unshare("mount"), tmpfs("/tmp"), unshare("ipc"), unshare("pid", "net"));
  assertEquals(inside(box, "echo $$; ls -A /tmp"), "1");
  assertEquals(
    differing(inside(box, READ_ALL)),
    [...(root ? [] : ["user"]), "mount", "pid", "uts", "ipc", "net"] as NamespaceKind[],
  );
});

for (const { name, mounts } of grounds("mount")) {
  test(`mounts of the container do not propagate to the host, ${name}`, () => {
    const seen = inside(mounts.with(tmpfs("/tmp")), "grep -c ' /tmp ' /proc/self/mountinfo");
    assertNotEquals(seen, "0");
  });
}

test('mounts of the host become private, or slaves with { propagation: "slave" }', () => {
  const prefix = root ? [] : ["user"] as const;
  const map = root ? [] : [mapRoot()];
  const options = (propagation: "private" | "slave") =>
    inside(
      recipe(unshare(...prefix, "mount", { propagation }), ...map),
      "grep -cE ' (shared|master):' /proc/self/mountinfo || true",
    );
  assertEquals(options("private"), "0");
  const shared = Deno.readTextFileSync("/proc/self/mountinfo").includes(" shared:");
  if (shared) assertNotEquals(options("slave"), "0");
  else assertEquals(options("slave"), "0");
});

test("mounts of the host propagate to a slave, and not to a private container", () => {
  // A container with shared mounts stands for the host.
  const script = (propagation: string) => `
    mount --make-rshared /
    mount -t tmpfs tmpfs /tmp
    mkdir /tmp/a
    export TMPDIR=/tmp
    mkfifo /tmp/ready /tmp/go
    unshare --mount --propagation ${propagation} sh -c '
      echo > /tmp/ready; cat /tmp/go > /dev/null; grep -c " /tmp/a " /proc/self/mountinfo' &
    cat /tmp/ready > /dev/null
    mount -t tmpfs tmpfs /tmp/a
    echo > /tmp/go
    wait $! || true`;
  const [{ mounts }] = grounds("mount") as [ReturnType<typeof grounds>[number]];
  // This checks the kernel's behaviour, on which the flags above depend.
  assertEquals(inside(mounts, script("private")).trim(), "0");
  assertEquals(inside(mounts, script("slave")).trim(), "1");
});

test("an unknown kind is refused, with the nearest one", () => {
  assertRefused(() => recipe(unshare("mounts" as NamespaceKind)), {
    step: "unshare",
    at: 0,
    says: 'did you mean "mount"?',
  });
  assertRefused(() => recipe(unshare("ipx" as NamespaceKind)), {
    step: "unshare",
    at: 0,
    says: "number 1",
  });
});

test("unshare without kinds, and propagation without mount, are refused", () => {
  assertRefused(() => recipe(unshare()), { step: "unshare", at: 0, says: "needs at least one" });
  assertRefused(() => recipe(unshare("uts", { propagation: "slave" })), {
    step: "unshare",
    at: 0,
    says: '"propagation" needs the kind "mount"',
  });
});

test("a second pid namespace is refused, with a fix", () => {
  assertRefused(() => recipe(unshare("user", "pid"), unshare("pid")), {
    step: "unshare",
    at: 1,
    says: "run a second recipe in the container",
  });
});

test("a user namespace can be made after other steps", () => {
  const box = recipe(unshare("mount"), tmpfs("/tmp"), unshare("user"), mapRoot());
  if (root) assertEquals(inside(box, "id -u; ls -A /tmp"), "0");
  else assertFails(box, { step: "unshare", at: 0, code: "EPERM", says: 'put "user" among' });
});

test("without privilege and a user namespace, the kernel's error has a fix", () => {
  for (const kind of NAMESPACE_KINDS) {
    if (kind === "user") continue;
    const box = recipe(unshare(kind));
    if (root) assert(box.command("true").outputSync().success);
    else assertFails(box, { step: "unshare", at: 0, code: "EPERM", says: 'unshare("user", ...)' });
  }
});
