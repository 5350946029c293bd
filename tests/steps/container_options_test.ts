/** Options of steps by which the OCI runtime makes containers as engines describe them. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  bind,
  capabilities,
  mapRoot,
  mknod,
  mount,
  noNewPrivileges,
  oomScoreAdj,
  pivotRoot,
  recipe,
  remount,
  seccomp,
  setUser,
  symlink,
  tmpfs,
  umask,
  unshare,
} from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  inDirectory,
  inside,
  notRoot,
  root,
  test,
  testOn,
} from "../support.ts";

const box = recipe(unshare("user", "mount"), mapRoot());

/** A script that prints the options of a mount. */
const optionsOf = (target: string) => `awk '$5 == "${target}" { print $6 }' /proc/self/mountinfo`;

test(
  "bind and mount make mount points that are missing on the host's files",
  inDirectory((path) => {
    const steps = [
      bind("/etc/passwd", `${path}/a/file`, { make: true }),
      bind("/usr", `${path}/b/directory`, { make: true }),
      mount("none", `${path}/c`, { type: "tmpfs", make: true }),
    ];
    const out = inside(
      box.with(...steps),
      `cd ${path}; head -n1 a/file; ls b/directory | grep bin; ls c`,
    );
    assertMatch(out, /^root:.*\nbin/);
    const kinds = ["a/file", "b/directory", "c"].map((name) =>
      Deno.statSync(`${path}/${name}`).isFile
    );
    assertEquals(kinds, [true, false, false]);
    // They are there, and remain as they are.
    inside(box.with(...steps), "true");
  }),
);

testOn(["mount"], "remount with keep changes what the options name, and all below", (mounts) => {
  const made = mounts.with(tmpfs("/tmp", { options: "noexec" }), tmpfs("/tmp/below"));
  const script = `${optionsOf("/tmp")}; ${optionsOf("/tmp/below")}`;
  const kept = made.with(remount("/tmp", "ro,exec", { keep: true }));
  assertEquals(inside(kept, script), "ro,nosuid,nodev,relatime\nrw,nosuid,nodev,relatime");
  const all = made.with(remount("/tmp", "ro", { keep: true, recursive: true }));
  assertEquals(inside(all, script), "ro,nosuid,nodev,noexec,relatime\nro,nosuid,nodev,relatime");
});

test("recursive is refused without keep, and keep for the filesystem", () => {
  const refuse = (options: Parameters<typeof remount>[2], says: string) =>
    assertRefused(() => box.with(remount("/tmp", "ro", options)), { step: "remount", says });
  refuse({ recursive: true }, '"recursive" needs "keep"');
  refuse({ keep: true, bind: false }, '"keep" is for this mount alone');
});

testOn(["mount"], "files that are there stay with keep", (mounts) => {
  const made = mounts.with(
    tmpfs("/mnt"),
    mknod("/mnt/pipe", { type: "p", mode: 0o600 }),
    mknod("/mnt/pipe", { type: "p", mode: 0o666, uid: 0, gid: 0, keep: true }),
    symlink("one", "/mnt/link"),
    symlink("two", "/mnt/link", { keep: true }),
  );
  assertEquals(inside(made, "stat -c %a /mnt/pipe; readlink /mnt/link"), "600\none");
});

test("a device has the owner that is given", () => {
  const made = recipe(
    unshare("mount"),
    tmpfs("/mnt"),
    mknod("/mnt/null", { type: "c", major: 1, minor: 3, mode: 0o640, uid: 7, gid: 8 }),
  );
  assertEquals(inside(made, "stat -c '%u %g %a' /mnt/null"), "7 8 640");
}, notRoot);

test(
  "a source can be opened before a user namespace that may not reach it",
  inDirectory((path) => {
    Deno.mkdirSync(`${path}/hidden/shown`, { recursive: true });
    Deno.writeTextFileSync(`${path}/hidden/shown/file`, "found\n");
    Deno.chmodSync(`${path}/hidden`, 0o700);
    const map = [{ inside: 0, outside: 100_000, count: 65_536 }];
    const own = recipe(unshare("user", "mount"), { step: "mapIds", uids: map, gids: map });
    const source = `${path}/hidden/shown`;
    if (!root) {
      return assertFails(box.with(bind(source, "/mnt", { early: true })), {
        step: "bind",
        code: "EPERM",
        says: "which takes CAP_SYS_ADMIN",
      });
    }
    assertFails(own.with(bind(source, "/mnt")), { step: "bind", code: "EACCES", says: "" });
    assertEquals(inside(own.with(bind(source, "/mnt", { early: true })), "cat /mnt/file"), "found");
  }),
);

test("another user keeps capabilities and groups that are asked for", () => {
  const kept = recipe(
    setUser({ uid: 1000, keepCapabilities: true, keepGroups: true }),
    capabilities({ permitted: ["CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"] }),
  );
  const [groups, effective] = inside(kept, "id -G; grep CapEff /proc/self/status").split("\n");
  assertEquals(groups!.split(" ").at(0), "1000");
  assertEquals(effective, "CapEff:\t0000000000000020");
  const both = { uid: 1, groups: [1], keepGroups: true };
  assertRefused(() => recipe(setUser(both)), { step: "setUser", says: '"keepGroups" leaves' });
}, notRoot);

testOn([], "the OOM killer is told", (ground) => {
  const told = ground.with(oomScoreAdj(1000));
  assertEquals(inside(told, "cat /proc/self/oom_score_adj"), "1000");
});

const PROFILE = { defaultAction: "SCMP_ACT_ALLOW" } as const;

testOn(
  [],
  "a filter with privilege leaves no_new_privs, and the user is set under it",
  (ground) => {
    const filtered = ground.with(
      { ...seccomp(PROFILE), privileged: true },
      setUser({ uid: 0, keepGroups: true }),
      capabilities({ bounding: [] }),
    );
    const script = "grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status";
    const shown = inside(filtered, script).split("\n");
    assertEquals(shown, ["CapBnd:\t0000000000000000", "NoNewPrivs:\t0", "Seccomp:\t2"]);
    assertRefused(() => ground.with({ ...seccomp(PROFILE), privileged: true }, umask(0)), {
      step: "seccomp",
      says: "umask cannot come after it, only setUser, capabilities, noNewPrivileges",
    });
    inside(ground.with({ ...seccomp(PROFILE), privileged: true }, noNewPrivileges()), "true");
  },
);

test("a filter with privilege needs it", () => {
  assertFails(recipe({ ...seccomp(PROFILE), privileged: true }), {
    step: "seccomp",
    code: "EACCES",
    says: "takes CAP_SYS_ADMIN",
  });
}, root ? "is for ordinary users" : undefined);

test(
  "a root that is read-only keeps what is mounted in it",
  inDirectory((path) => {
    const closed = box.with(
      bind("/", path, { recursive: true, restrict: [] }),
      remount(path, "ro", { keep: true }),
      pivotRoot(path),
    );
    assertEquals(inside(closed, `${optionsOf("/")} | grep -c '^ro'`), "1");
  }),
);
