/**
 * Filesystems of the kernel that are mounted below a directory of a grant, as in a chroot that
 * somebody has prepared: they show all processes, and as root they change the machine.
 */

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { parseMountinfo } from "../../ffi/proc/mountinfo.ts";
import {
  bind,
  mapRoot,
  proc,
  recipe,
  RecipeError,
  sandbox,
  setUser,
  sysfs,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { kernelMountsIn } from "../../host/kernel_mounts.ts";
import { scriptInside } from "../script_inside.ts";
import { inDirectory, inside, notRoot, test, testOn } from "../support.ts";

/** Runs scripts of a shell in nested sandboxes, and returns what they print. */
const nested = (directory: string, body: string) => `
  const { linux, recipe, sandbox } = ramekin;
  const directory = "${directory}";
  const inside = (box, script) => {
    try {
      const { stdout, stderr } = box.command("sh", { args: ["-c", "cd " + directory + "; " + script] })
        .outputSync();
      return new TextDecoder().decode(stdout).trim() + new TextDecoder().decode(stderr).trim();
    } catch ({ message }) {
      return message;
    }
  };
  const open = (box) => recipe(...box.steps.map((step) => ({ ...step, untrusted: undefined })));
  const shown = "echo chroot/proc/* chroot/sys/*; test -e chroot/proc/self/status && echo processes";
  ${body}
`;

testOn(
  ["mount", "pid", "net"],
  "a sandbox shows nothing of /proc and /sys of a chroot",
  (ground) =>
    inDirectory((directory) => {
      for (const name of ["chroot/proc", "chroot/sys", "later"]) {
        Deno.mkdirSync(`${directory}/${name}`, { recursive: true });
      }
      const machine = ground.with(
        proc(),
        proc(`${directory}/chroot/proc`),
        sysfs(`${directory}/chroot/sys`),
      );
      const result = scriptInside(
        machine,
        nested(
          directory,
          `
          const results = {};
          for (const access of ["read", "write"]) {
            for (const path of [directory, directory + "/chroot", "/"]) {
              const box = sandbox({ [access]: [path, directory] });
              results[access + (path === "/" ? " all" : path.slice(directory.length))] = [
                inside(box, shown),
                inside(open(box), shown).split("\\n").at(-1),
              ];
            }
          }
          console.log(JSON.stringify(results));`,
        ),
      );
      const covered = ["chroot/proc/* chroot/sys/*", "processes"];
      assertEquals(result, {
        "read": covered,
        "read/chroot": covered,
        "read all": covered,
        "write": covered,
        "write/chroot": covered,
        "write all": covered,
      });
    })(),
);

testOn(
  ["mount", "pid", "net"],
  "one that is mounted between two launches of a sandbox is covered too",
  (ground) =>
    inDirectory((directory) => {
      Deno.mkdirSync(`${directory}/later`);
      const script = `
        const box = sandbox({ write: [directory] });
        const look = "touch later/file; echo later/*";
        const first = inside(box, look);
        linux.mount("proc", directory + "/later", "proc", 0, null);
        console.log(JSON.stringify([first, inside(box, "echo later/*")]));`;
      assertEquals(scriptInside(ground.with(proc()), nested(directory, script)), [
        "later/file",
        "later/*",
      ]);
    })(),
);

const LAUNCH = new URL("../../launch/", import.meta.url).href;
const PLAN = new URL("../../plan/plan_recipe.ts", import.meta.url).href;

for (
  const [name, move] of [
    ["moved", "mv chroot moved; mkdir chroot"],
    ["replaced by a directory", "mv chroot moved; mkdir -p chroot/proc"],
    ["replaced by a link to it", "mv chroot moved; ln -s moved chroot"],
    ["unmounted", "umount chroot/proc"],
  ] as const
) {
  testOn(
    ["mount", "pid", "net"],
    `a launch fails when one is ${name} after the plan was made`,
    (ground) =>
      inDirectory((directory) => {
        Deno.mkdirSync(`${directory}/chroot/proc`, { recursive: true });
        const script = `
          const { Launcher } = await import("${LAUNCH}launcher.ts");
          const { execSpec } = await import("${LAUNCH}exec.ts");
          const { planRecipe } = await import("${PLAN}");
          const launcher = new Launcher(planRecipe(sandbox({ write: [directory] }).steps));
          const result = [inside(recipe(), "${move}")];
          try {
            launcher.spawn(execSpec("/bin/true", {}));
          } catch ({ message }) {
            result.push(message);
          }
          console.log(JSON.stringify(result));`;
        const machine = ground.with(proc(), proc(`${directory}/chroot/proc`));
        const [moved, message] = scriptInside(machine, nested(directory, script)) as string[];
        assertEquals(moved, "");
        assertMatch(message!, /kernel at .*chroot\/proc has been moved or unmounted meanwhile/);
      })(),
  );
}

testOn(
  ["mount", "pid", "net"],
  "one that is granted itself is refused",
  (ground) =>
    inDirectory((directory) => {
      Deno.mkdirSync(`${directory}/sys`);
      const script = `
        console.log(JSON.stringify([
          inside(sandbox({ read: [directory + "/sys"] }), "true"),
          inside(sandbox({ read: [directory, directory + "/sys/class/net"] }), "ls sys/class/net"),
        ]));`;
      const [refused, part] = scriptInside(
        ground.with(proc(), sysfs(`${directory}/sys`)),
        nested(directory, script),
      ) as string[];
      assertMatch(refused!, /\/sys is a filesystem of the kernel \(sysfs\), by which the machine/);
      assertMatch(part!, /does not exist/);
    })(),
);

for (
  const [name, { script, owner, searched }] of Object.entries({
    "an ordinary user's": { script: 65534, owner: 0, searched: false },
    "root's, of another user's": { script: 0, owner: 1000, searched: false },
    "root's, of its own": { script: 0, owner: 0, searched: true },
  })
) {
  test(
    `a sandbox with a directory that not everybody may search, and kernel filesystems in it: ${name}`,
    inDirectory((directory) => {
      const closed = `${directory}/closed`;
      Deno.mkdirSync(closed);
      const machine = recipe(
        unshare("mount", "pid", "net"),
        proc(),
        tmpfs(closed, { options: `mode=700,uid=${owner}` }),
        proc(`${closed}/proc`),
        proc(`${closed}/deep/proc`),
        writeFile(`${closed}/deep/soup`, "leek"),
        setUser({ uid: script }),
      );
      const body = `
        const look = "stat -c %a closed; find closed -mindepth 1 -maxdepth 2 | sort";
        const results = [directory, "/"].map((path) => {
          const box = sandbox({ read: [path, directory] });
          return [inside(box, look), inside(open(box), "ls closed/proc/self/status")];
        });
        console.log(JSON.stringify(results));`;
      const seen = searched
        ? "700\nclosed/deep\nclosed/deep/proc\nclosed/deep/soup\nclosed/proc"
        // An empty directory, which stays so whatever mode that one gets.
        : "555";
      const status = "closed/proc/self/status";
      const uncovered = searched ? status : `ls: cannot access '${status}': Permission denied`;
      assertEquals(scriptInside(machine, nested(directory, body)), [
        [seen, uncovered],
        [seen, uncovered],
      ]);
    }),
    notRoot,
  );
}

for (
  const [name, mount, says] of [
    [
      "at a path that is not UTF-8 is covered",
      'at="$(printf "caf\\351")/proc"; mkdir -p "$at"; mount --bind /proc "$at"',
      /^0$/,
    ],
    [
      "of a process that has ended is refused by its name",
      "sleep 60 & mkdir ended; mount --bind /proc/$! ended; kill $!; wait $! || :",
      /what is mounted at \S+\/ended has been removed, as \/proc\/PID is when/,
    ],
  ] as const
) {
  testOn(
    ["mount", "pid", "net"],
    `one ${name}`,
    (ground) =>
      inDirectory((directory) => {
        const look = "ls -A */proc | wc -l";
        const body =
          `console.log(JSON.stringify(inside(sandbox({ read: [directory] }), "${look}")));`;
        const script = nested(directory, body);
        const message = scriptInside(
          ground.with(proc()),
          script,
          `cd ${directory}; ${mount}; cd /`,
        );
        assertMatch(message as string, says);
      })(),
  );
}

test("the machine's own /sys is refused, and directories in it are not", () => {
  assertThrows(
    () => inside(sandbox({ read: ["/sys"] }), "true"),
    RecipeError,
    "/sys is a filesystem of the kernel (sysfs)",
  );
  assertStringIncludes(inside(sandbox({ read: ["/sys/class/net"] }), "ls /sys/class/net"), "lo");
});

test("a filesystem of the recipe's own is not covered", () => {
  const box = recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    tmpfs("/mnt"),
    bind("/usr", "/mnt/usr", { untrusted: true }),
    proc("/mnt/proc"),
  );
  assertMatch(inside(box, "head -n 1 /mnt/proc/self/status"), /Name:/);
});

/** The mounts of a host, by number, number of the parent, mount point and type. */
const mounts = (...lines: string[]) =>
  parseMountinfo(
    lines.map((line) => {
      const [id, parent, target, type] = line.split(" ");
      return `${id} ${parent} 0:${id} / ${target} rw - ${type} none rw`;
    }).join("\n"),
  );

test("only what can be reached is covered, and what is in it is not covered again", () => {
  const host = mounts(
    "1 0 / ext4",
    "2 1 /proc proc",
    "3 2 /proc/sys/fs/binfmt_misc binfmt_misc",
    "4 1 /a ext4",
    "5 4 /a/proc proc",
    "6 4 /a/hidden/proc proc",
    "7 4 /a/hidden tmpfs",
    "8 4 /a/twice proc",
    "9 8 /a/twice tmpfs",
    "10 7 /a/hidden/sys sysfs",
    "11 1 /a-b cgroup2",
    "12 1 / tmpfs",
    "13 1 /b/proc proc",
    "14 1 /b tmpfs",
  );
  assertEquals(kernelMountsIn("/", host), ["/proc", "/a/proc", "/a/hidden/sys", "/a-b"]);
  assertEquals(kernelMountsIn("/a", host), ["/a/proc", "/a/hidden/sys"]);
  assertEquals(kernelMountsIn("/a/proc", host), []);
  assertEquals(kernelMountsIn("/proc", host), ["/proc/sys/fs/binfmt_misc"]);
});
