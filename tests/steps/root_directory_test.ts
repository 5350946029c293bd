/** `root`: a directory with a system in it, and what every system needs. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { recipe, root, type RootDirectoryOptions, type Step, unshare } from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  failing,
  inDirectory,
  inside,
  test,
  testOn,
} from "../support.ts";

/** Makes a directory a system whose programs are those of this machine. */
function makeSystem(directory: string): void {
  for (const name of ["etc", "usr", "srv"]) Deno.mkdirSync(`${directory}/${name}`);
  for (const name of ["bin", "lib", "lib64"]) {
    Deno.symlinkSync(`usr/${name}`, `${directory}/${name}`);
  }
  Deno.writeTextFileSync(`${directory}/etc/motd`, "soup");
}

const USR = { "/usr": { source: "/usr", readOnly: true } } as const;

function system(directory: string, { volumes, ...options }: RootDirectoryOptions = {}): Step {
  return root(directory, { ...options, volumes: { ...USR, ...volumes } });
}

const KINDS = ["mount", "pid", "net"] as const;

testOn(
  KINDS,
  "the directory is the root, with the filesystems of the kernel",
  (mounts) =>
    inDirectory((directory) => {
      makeSystem(directory);
      const box = mounts.with(system(directory));
      const script =
        "echo /*; cat /etc/motd; ls /dev | head -n 1; stat -fc %T /tmp /proc /sys; echo $$";
      assertEquals(
        inside(box, script).split("\n"),
        [
          "/bin /dev /etc /lib /lib64 /proc /srv /sys /tmp /usr",
          ...["soupfd", "tmpfs", "proc", "sysfs", "1"],
        ],
      );
      assert(failing(box, "touch /sys/soup").includes("Read-only"));
      // Nothing of the old root is left, and a program of root finds no way to it.
      assertStringIncludes(failing(box, `ls ${directory}`), "No such file");
      assertEquals(inside(box, "cut -d' ' -f5 /proc/self/mountinfo | sort | head -n 2"), "/\n/dev");
    })(),
);

testOn(KINDS, "changes are kept, thrown away or refused", (mounts) =>
  inDirectory((directory) => {
    makeSystem(directory);
    const write = "echo leek > /srv/soup; cat /srv/soup";
    assertEquals(inside(mounts.with(system(directory, { discard: true })), write), "leek");
    assertEquals([...Deno.readDirSync(`${directory}/srv`)], []);
    assertStringIncludes(
      failing(mounts.with(system(directory, { readOnly: true })), write),
      "Read-only",
    );
    // Mount points that are missing are made in memory.
    const names = ["bin", "etc", "lib", "lib64", "srv", "usr"];
    const found = () => [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assertEquals(found(), names);
    assertEquals(inside(mounts.with(system(directory)), write), "leek");
    assertEquals(Deno.readTextFileSync(`${directory}/srv/soup`), "leek\n");
    assertEquals(found(), [...names, "dev", "proc", "sys", "tmp"].sort());
  })());

testOn(
  KINDS,
  "names are looked up as on this machine, or as the step says",
  (mounts) =>
    inDirectory((directory) => {
      makeSystem(directory);
      const files = "cat /etc/resolv.conf /etc/hosts";
      const here = ["/etc/resolv.conf", "/etc/hosts"].map((path) => Deno.readTextFileSync(path))
        .join("");
      for (const discard of [true, false]) {
        const box = mounts.with(system(directory, { discard, resolvConf: true, hosts: true }));
        assertEquals(inside(box, files), here.trimEnd());
        inside(box, "! { echo leek >> /etc/hosts; }");
      }
      const box = mounts.with(system(directory, { hosts: { db: "10.0.0.2", web: "fd00::1" } }));
      assertEquals(inside(box, "getent hosts localhost db web | tr -s ' '").split("\n").slice(1), [
        "10.0.0.2 db",
        "fd00::1 web",
      ]);
      assertEquals(inside(box, "ls /tmp"), "");
    })(),
);

testOn(
  ["mount", "pid"],
  "a volume is shown, and without a network there is no /sys",
  (mounts) =>
    inDirectory((directory) => {
      makeSystem(directory);
      inDirectory((other) => {
        Deno.writeTextFileSync(`${other}/menu`, "soup");
        const volumes = {
          "/srv/in": { source: other },
          "/srv/menu": { source: `${other}/menu`, readOnly: true },
        };
        const box = mounts.with(system(directory, { discard: true, volumes }));
        assertEquals(
          inside(box, "cat /srv/menu; echo leek > /srv/in/menu; test ! -e /sys"),
          "soup",
        );
        assertEquals(Deno.readTextFileSync(`${other}/menu`), "leek\n");
        assertStringIncludes(failing(box, "echo > /srv/menu"), "Read-only");
      })();
    })(),
);

testOn(
  ["mount", "pid"],
  "no link in the directory leads out of it",
  (mounts) =>
    inDirectory((outside) => {
      const options = { volumes: { "/srv/in": { source: "/usr/bin" } }, hosts: { a: "10.0.0.1" } };
      for (const name of ["srv/in", "proc", "etc/hosts"]) {
        for (const discard of [true, false]) {
          inDirectory((directory) => {
            makeSystem(directory);
            Deno.symlinkSync(outside, `${directory}/${name}`);
            const box = mounts.with(system(directory, { ...options, discard }));
            assertFails(box, { step: "root", code: "ENOENT", says: `${name} does not exist` });
          })();
        }
      }
      assertEquals([...Deno.readDirSync(outside)], []);
      // One that leads to a directory in there is followed.
      inDirectory((directory) => {
        makeSystem(directory);
        Deno.mkdirSync(`${directory}/run`);
        Deno.symlinkSync("/run", `${directory}/proc`);
        assertEquals(inside(mounts.with(system(directory)), "stat -fc %T /run"), "proc");
      })();
    })(),
);

test("what a root cannot be is refused", () => {
  const refused = (step: Step, says: string) =>
    assertRefused(() => recipe(unshare("user", "mount"), step), { step: "root", at: 1, says });
  refused(root("/srv", { discard: true, readOnly: true }), '"readOnly" leaves no changes');
  refused(root("/proc/1/root"), "put together at /proc");
  refused(root("/srv", { volumes: { "/x": { source: "/proc/kcore" } } }), "put together at /proc");
  refused(root("/srv", { volumes: { "/": { source: "/usr" } } }), "/ is the directory's");
  refused(root("/srv", { hosts: { "a b": "10.0.0.1" } }), "cannot be the name of a host");
  refused(root("/srv", { hosts: { a: "nowhere" } }), "is not an address");
  assertRefused(() => recipe(root("/srv")), { step: "root", says: 'unshare("mount") before it' });
});

testOn(["mount", "pid"], "a directory that is missing is reported", (mounts) => {
  assertFails(mounts.with(root("/nonesuch")), {
    step: "root",
    code: "ENOENT",
    says: "does not exist",
  });
  assertFails(mounts.with(root("/nonesuch", { discard: true })), {
    step: "root",
    code: "ENOENT",
    says: "the lower directory /nonesuch does not exist",
  });
});
