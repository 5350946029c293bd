/**
 * Every system call of a launch fails once, in several ways: each error is typed and names the
 * step, and nothing is left of the container.
 */

import { assert } from "@std/assert";
import {
  address,
  bind,
  bridge,
  capabilities,
  chdir,
  devices,
  dieWithParent,
  domainname,
  hostname,
  init,
  join,
  loopback,
  mapRoot,
  masquerade,
  mkdir,
  mknod,
  newSession,
  noNewPrivileges,
  overlay,
  pivotRoot,
  proc,
  propagation,
  type Recipe,
  recipe,
  remount,
  rlimit,
  route,
  sandbox,
  seccomp,
  setUser,
  symlink,
  timeOffset,
  tmpfs,
  umask,
  unmount,
  unshare,
  veth,
  writeFile,
} from "../../mod.ts";
import { processIdentity } from "../../ffi/proc/process_identity.ts";
import { visitSteps } from "../../container/enter_steps.ts";
import { notRoot, test } from "../support.ts";
import { breakAndNote, breakVisitAndNote } from "./breaking.ts";
import { triedShapes } from "./support.ts";
import { SHAPES } from "./shapes.ts";

const mounts = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net", "cgroup", "time"),
  mapRoot(),
);

const RECIPES: Readonly<Record<string, Recipe>> = {
  "no steps": recipe(),
  "all namespaces, with an init": mounts.with(
    proc(),
    hostname("box"),
    domainname("kitchen"),
    init(),
  ),
  "mounts": mounts.with(
    tmpfs("/mnt", { size: "1m" }),
    bind("/usr", "/mnt/usr", { readOnly: true }),
    overlay("/mnt/over", { lower: ["/etc"], discard: true }),
    remount("/mnt", "nosuid,nodev"),
    propagation("/mnt", "slave"),
    unmount("/mnt/over"),
  ),
  "a root of its own": mounts.with(
    tmpfs("/mnt"),
    bind("/usr", "/mnt/usr"),
    symlink("usr/bin", "/mnt/bin"),
    symlink("usr/lib", "/mnt/lib"),
    symlink("usr/lib64", "/mnt/lib64"),
    mkdir("/mnt/etc", { mode: 0o700 }),
    writeFile("/mnt/etc/motd", "Welcome.\n"),
    mknod("/mnt/pipe", { type: "p" }),
    devices("/mnt/dev"),
    proc("/mnt/proc"),
    pivotRoot("/mnt"),
    chdir("/etc"),
  ),
  "the process": mounts.with(
    timeOffset({ boottime: 1000 }),
    umask(0o077),
    rlimit("nofile", 64),
    newSession(),
    dieWithParent("SIGTERM"),
    noNewPrivileges(),
    setUser({ uid: 0 }),
    capabilities({ bounding: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"] }),
  ),
  "late namespaces": recipe(
    unshare("user"),
    mapRoot(),
    unshare("mount", "uts"),
    hostname("late"),
    unshare("pid"),
    proc(),
  ),
  "a network": mounts.with(
    loopback(),
    bridge("br0"),
    address("br0", "10.0.0.1/24"),
    address("br0", "fd00::1/64"),
  ),
};

for (const [name, box] of Object.entries(RECIPES)) {
  test(`every call of a recipe fails once: ${name}`, () => {
    const { faults, errors } = breakAndNote(name, box);
    assert(errors > faults / 3, `${errors} errors of ${faults} faults`);
  });
}

test("every call of a recipe fails once: joining a container", async () => {
  await using container = mounts.command("sleep", { args: ["infinity"] }).spawn();
  breakAndNote("joining a container", recipe(join(container)));
  // What executes the program there enters the time namespace.
  breakAndNote("entering a container", recipe(join(container, { root: true, cwd: true })));
});

test("every call of a recipe fails once: the network of another container", async () => {
  const lan = recipe(unshare("user", "net"), mapRoot(), bridge("lan"));
  await using hub = lan.command("sleep", { args: ["infinity"] }).spawn();
  const plugged = recipe(
    join(hub, "user", "net"),
    unshare("net"),
    veth("eth0", { bridge: "lan" }),
    address("eth0", "10.0.0.1/24"),
    route("default", { via: "10.0.0.2" }),
    masquerade("10.1.0.0/24", { inside: true }),
  );
  breakAndNote("plugging into a container", plugged);
});

for (
  const [name, { box, joins, rootOnly, terminal, permissions, timeout }] of triedShapes()
) {
  if (joins) continue;
  test(`every call of a launch fails once: ${name}`, () => {
    breakAndNote(name, box, {
      ...(terminal && { terminal }),
      ...(permissions && { permissions }),
      ...(timeout !== undefined && { timeout }),
    });
  }, rootOnly && notRoot);
}

test("every call of a container that waits to be started fails once", async () => {
  const options = { held: true, uid: 0, gid: 0, cwd: "/" } as const;
  breakAndNote("a container that waits", mounts.with(proc(), init()), options);
  await using container = mounts.command("sleep", { args: ["infinity"] }).spawn();
  breakAndNote("a container that joins and waits", recipe(join(container)), { held: true });
});

test("every call of a sandbox with granted hosts fails once", () => {
  const permissions = { read: true, net: ["example.org:443"] };
  breakAndNote("a sandbox that is granted hosts", sandbox({ read: ["/etc/hosts"] }), {
    permissions,
  });
});

const bounded = SHAPES["several id ranges"]!;

test("every call of a launch with a socket for messages fails once", () => {
  breakAndNote("a socket for messages", mounts.with(init()), { notify: () => {} });
});

test("every call of a launch with a time limit fails once", () => {
  const timeout = 3_600_000;
  breakAndNote("a launch with a time limit", mounts.with(proc(), init()), { timeout });
});

test("every call of a launch with a time limit that meets the script fails once", () => {
  breakAndNote("a launch with a time limit that meets the script", bounded.box, {
    timeout: 3_600_000,
  });
}, bounded.rootOnly && notRoot);

const audited = mounts.with(seccomp());

test("every call of an audited launch fails once", () => {
  breakAndNote("an audited launch", audited, { audit: true });
  breakAndNote("an audited sandbox", sandbox(), { audit: true });
});

test("every call of a look into a container fails once", async () => {
  await using container = sandbox().command("sleep", { args: ["infinity"] }).spawn();
  const target = processIdentity(container.pid);
  for (const user of ["program", "root"] as const) {
    breakVisitAndNote(
      `a look into a container, as ${user}`,
      visitSteps(sandbox().steps, target, user),
    );
  }
});
