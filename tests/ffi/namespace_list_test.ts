/** Which namespaces there are, against lsns(8) and /proc. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Container,
  linux,
  listNamespaces,
  mapRoot,
  type NamespaceEntry,
  pidsIn,
  proc,
  recipe,
  SyscallError,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { readUntil } from "../other_scripts.ts";
import { notOrdinary, notRoot, test } from "../support.ts";
import { missing } from "./support.ts";

/** What lsns(8) prints of a namespace. */
interface Line {
  readonly ns: number;
  readonly type: string;
  readonly nprocs: number;
  readonly pid: number | null;
  readonly command: string | null;
  readonly uid: number | null;
  readonly pns: number;
  readonly ons: number;
  /** With the columns of parents, lsns(8) puts those into each other that lie in each other. */
  readonly children?: readonly Line[];
}

function lsns(): Line[] {
  const columns = "NS,TYPE,NPROCS,PID,COMMAND,UID,PNS,ONS";
  const { stdout } = new Deno.Command("lsns", { args: ["-J", "-o", columns] }).outputSync();
  return flat(JSON.parse(new TextDecoder().decode(stdout)).namespaces);
}

function flat(lines: readonly Line[]): Line[] {
  return lines.flatMap(({ children = [], ...line }) => [line, ...flat(children)]);
}

/** Our entry as lsns(8) would print it. */
function lineOf({ id, type, processes, first, parent, owner }: NamespaceEntry): Line {
  return {
    ns: id,
    type,
    nprocs: processes,
    pid: first?.pid ?? null,
    command: first?.command ?? null,
    uid: first?.uid ?? null,
    pns: parent ?? 0,
    ons: owner ?? 0,
  };
}

const noLsns = missing("lsns");

/** A container with a container in it: two levels of user and pid namespaces. */
function nested(): Container {
  const box = recipe(
    unshare("user", "mount", "pid", "uts", "ipc", "net", "cgroup"),
    mapRoot(),
    proc(),
  );
  return box.command("unshare", {
    args: ["-U", "-r", "-p", "-f", "sh", "-c", "sleep 600 & echo ready; wait"],
    stdout: "piped",
  }).spawn();
}

async function untilReady(container: Container): Promise<void> {
  for await (const _ of container.stdout.values({ preventCancel: true })) return;
}

test("the namespaces of two containers are listed as by lsns(8)", async () => {
  await using container = nested();
  await untilReady(container);
  const [ours, theirs] = [listNamespaces(), lsns()];
  // Others on this machine come and go; what is in these namespaces does not.
  const time = container.namespaces.time;
  const lines = theirs.filter(({ ns, command }) =>
    ns !== time &&
    (Object.values(container.namespaces).includes(ns) || command?.includes("sleep 600"))
  );
  // The kinds of the container, without time; and a pid namespace within its own.
  assertEquals(lines.map(({ type }) => type).sort(), [
    "cgroup",
    "ipc",
    "mnt",
    "net",
    "pid",
    "pid",
    "user",
    "uts",
  ]);
  for (const line of lines) {
    assertEquals(ours.filter(({ id }) => id === line.ns).map(lineOf), [line]);
  }
  // No process is left in the container's first user namespace, but it owns the others.
  const owner = ours.find(({ id }) => id === lines.find(({ type }) => type === "uts")!.ons);
  assertEquals([owner?.type, owner?.processes], ["user", 0]);
}, noLsns);

test("type, parent and owner of all namespaces are those of lsns(8)", () => {
  const before = new Map(listNamespaces().map((entry) => [entry.id, entry]));
  const theirs = lsns();
  const after = new Map(listNamespaces().map((entry) => [entry.id, entry]));
  for (const { ns, type, pns, ons } of theirs) {
    // Others on this machine come and go, and the numbers of their namespaces are used again.
    const [entry, later] = [before.get(ns), after.get(ns)];
    if (entry === undefined || later === undefined || entry.first?.pid !== later.first?.pid) {
      continue;
    }
    if (entry.type !== later.type || entry.owner !== later.owner) continue;
    const { type: ourType, pns: ourParent, ons: ourOwner } = lineOf(entry);
    assertEquals([ns, ourType, ourParent, ourOwner], [ns, type, pns, ons]);
  }
  assert(theirs.some(({ ns }) => before.get(ns)?.first !== undefined));
}, noLsns);

test("the creator of a user namespace is listed", async () => {
  await using container = recipe(unshare("user"), mapRoot())
    .command("sleep", { args: ["600"] }).spawn();
  const { user } = container.namespaces;
  const entry = listNamespaces().find(({ id }) => id === user);
  assertEquals(entry?.madeBy, Deno.uid());
  assertEquals(entry?.owner, linux.namespaces().user);
  assertEquals(entry?.parent, linux.namespaces().user);
  assertEquals(entry?.first, { pid: container.pid, uid: Deno.uid()!, command: "sleep 600" });
});

test("a namespace that only an open file keeps alive is listed, without processes", async () => {
  const container = recipe(unshare("user", "net"), mapRoot())
    .command("sleep", { args: ["600"] }).spawn();
  const { net, user } = container.namespaces;
  using _file = linux.open(`/proc/${container.pid}/ns/net`);
  await container[Symbol.asyncDispose]();
  const entries = listNamespaces();
  const entry = entries.find(({ id }) => id === net);
  assertEquals([entry?.type, entry?.processes, entry?.first], ["net", 0, undefined]);
  // The user namespace is kept by it, and is found as its owner.
  assertEquals(entry?.owner, user);
  assertEquals(entries.find(({ id }) => id === user)?.type, "user");
});

test("processes that end in the meantime are not an error", async () => {
  const shell = "while :; do /bin/true & /bin/true & wait; done";
  await using _busy = recipe().command("sh", { args: ["-c", shell] }).spawn();
  for (let round = 0; round < 20; round++) assert(listNamespaces().length > 6);
});

test("an open directory with a path that is longer than any hides nothing", async () => {
  const script = `chdir "/mnt"; for (1..30) { mkdir "a" x 250; chdir "a" x 250 }
    opendir my $deep, "."; $| = 1; print "open\\n"; sleep 600`;
  const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
  await using container = box.command("perl", { args: ["-e", script], stdout: "piped" }).spawn();
  await readUntil(container.stdout, (text) => text.includes("open"));
  const { mount } = linux.namespaces(container.hostPid);
  assertEquals(listNamespaces().find(({ id }) => id === mount)?.processes, 1);
  container.kill("SIGKILL");
  await container.stdout.cancel();
});

test("linux.namespaces returns what /proc/PID/ns shows", () => {
  const expected = Object.fromEntries(
    [...Deno.readDirSync("/proc/self/ns")].map(({ name }) => {
      const link = Deno.readLinkSync(`/proc/self/ns/${name}`);
      return [name === "mnt" ? "mount" : name, Number(/\d+/.exec(link)![0])];
    }),
  );
  assertEquals({ ...linux.namespaces(Deno.pid) }, expected);
  assertEquals({ ...linux.namespaces() }, expected);
});

test("linux.namespaces of a process that does not exist", () => {
  const error = assertThrows(() => linux.namespaces(2 ** 22), SyscallError, "ENOENT");
  assertEquals(error.hint, "there is no such process, or it has ended");
});

test("linux.namespaces of another user's process", () => {
  const error = assertThrows(() => linux.namespaces(1), SyscallError, "EACCES");
  assert(error.hint!.includes("another user's"), error.hint);
}, notOrdinary);

test("a process has a pid in each pid namespace", async () => {
  await using container = recipe(unshare("user", "mount", "pid"), mapRoot(), proc())
    .command("sleep", { args: ["600"] }).spawn();
  assertEquals(pidsIn(container), [container.pid, 1]);
  assertEquals(pidsIn(container.pid), [container.pid, 1]);
  assertEquals(pidsIn(Deno.pid), [Deno.pid]);
  assertThrows(() => pidsIn(2 ** 22), SyscallError, "ENOENT");
});

test("a pidfd identifies its process", () => {
  using self = linux.pidfd_open(Deno.pid);
  const identity = linux.processIdentity(Deno.pid);
  assertEquals(identity.pid, Deno.pid);
  assertEquals(linux.processIdentity(self), identity);
  const stat = Deno.readTextFileSync("/proc/self/stat");
  assertEquals(identity.started, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]));
  using root = linux.open("/");
  assertThrows(() => linux.processIdentity(root), TypeError, "not a pidfd");
});

test("root sees the namespaces of the kernel's threads", () => {
  assert(listNamespaces().some(({ first }) => first?.command === "kdevtmpfs" || first?.pid === 2));
}, notRoot);
