/** `ramekin plan`: the calls, the needs and the graph of a recipe. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  bind,
  chroot,
  join,
  mapRoot,
  overlay,
  pivotRoot,
  recipe,
  remount,
  sandbox,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { graphOf } from "../../scripts/ramekin/graph.ts";
import { drawGraph } from "../../scripts/ramekin/graph_svg.ts";
import { flagsOf } from "../../scripts/ramekin/plan_text.ts";
import { test } from "../support.ts";
import { ramekin, ramekinWith, withFiles } from "./support.ts";

const FILES = {
  "box.yaml": `variables: { name: box }
steps:
  - { step: unshare, kinds: [user, mount, uts, ipc, pid] }
  - step: mapRoot
  - { step: tmpfs, target: /tmp }
  - { step: bind, source: /usr, target: /tmp/usr, readOnly: true }
  - { step: pivotRoot, path: /tmp }
  - { step: hostname, name: "\${name}" }
`,
  "early.yaml": "steps:\n  - { step: hostname, name: x }\n",
};

const inKitchen = (body: (directory: string) => Promise<void>) => withFiles(FILES, body);

test(
  "plan shows each step in a line, and each need with its flag",
  inKitchen(async (cwd) => {
    const { code, stdout, stderr } = await ramekinWith({ cwd }, "plan", "box.yaml");
    assertEquals([code, stderr], [0, ""]);
    const [steps, needs] = stdout.split("\n\nwhat it needs of this machine\n");
    const lines = steps!.split("\n");
    assertMatch(lines[0]!, /^# +STEP +CALLS +WITH$/);
    assertMatch(lines[1]!, /^1 +unshare +\d+ +kinds: \[user, mount, uts, ipc, pid\]$/);
    assertMatch(lines[6]!, /^6 +hostname +1 +name: box$/);
    assertMatch(lines.at(-1)!, /^\d+ calls in all, with those that start the program; --calls /);
    assertMatch(needs!, /^ {4}read \/usr, for step 4 \(bind\) {2}--allow-read=\/usr$/m);
  }),
);

test(
  "plan --calls shows each step with its calls",
  inKitchen(async (cwd) => {
    const { code, stdout, stderr } = await ramekinWith(
      { cwd },
      "plan",
      "box.yaml",
      "--calls",
      "--set",
      "name=pot",
    );
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^6 hostname\n {4}sethostname\("pot", 3\)$/m);
    const [, needs] = stdout.split("\nwhat it needs of this machine\n");
    assertMatch(needs!, /^ {4}read \/usr, for step 4 \(bind\) {2}--allow-read=\/usr$/m);
    assertMatch(needs!, /^ {4}the host's network {2}--allow-net$/m);
  }),
);

test(
  "plan --json prints the same as data",
  inKitchen(async (cwd) => {
    const { stdout } = await ramekinWith({ cwd }, "plan", "box.yaml", "--json");
    const { steps, entries, needs } = JSON.parse(stdout);
    assertEquals(steps[1], { step: "mapRoot" });
    assert(entries.some(({ call }: { call: string }) => call === `sethostname("box", 3)`));
    assert(
      needs.some(({ kind, path }: Record<string, string>) => kind === "read" && path === "/usr"),
    );
  }),
);

test(
  "an impossible order of steps is reported with the line",
  inKitchen(async (cwd) => {
    const { code, stderr } = await ramekinWith({ cwd }, "plan", "early.yaml");
    assertEquals(code, 1);
    assertMatch(stderr, /^ramekin: early\.yaml:2:5: step 1 \(hostname\): .*unshare\("uts"\)/);
  }),
);

test(
  "plan --graph writes to a file, or to the standard output",
  withFiles(FILES, async (cwd) => {
    Deno.chmodSync(cwd, 0o777);
    const drawn = await ramekinWith({ cwd }, "plan", "box.yaml", "--graph", "box.svg");
    assertEquals([drawn.code, drawn.stdout, drawn.stderr], [0, "", ""]);
    const svg = Deno.readTextFileSync(`${cwd}/box.svg`);
    assertMatch(svg, /^<svg [^>]*>\n<title>box\.yaml<\/title>/);
    for (const text of ["its own", "the host", "/usr", "read-only"]) {
      assertStringIncludes(svg, text);
    }
    const shown = await ramekinWith({ cwd }, "plan", "box.yaml", "--graph=-");
    assertEquals(shown.stdout.trimEnd(), svg.trimEnd());
    const denied = await ramekinWith({ cwd }, "plan", "box.yaml", "--graph", "no/such/box.svg");
    assertEquals(denied.code, 1);
    assertStringIncludes(denied.stderr, "no/such/box.svg");
    const picture = await ramekinWith({ cwd }, "plan", "box.yaml", "--graph=box.png");
    assertEquals([picture.code, picture.stdout], [2, ""]);
    assertStringIncludes(picture.stderr, "--graph=box.png: it draws SVG, and no .png");
    assertThrows(() => Deno.statSync(`${cwd}/box.png`), Deno.errors.NotFound);
  }),
);

test("a graph is well-formed with any names", () => {
  const steps = recipe(unshare("user", "mount"), mapRoot(), bind("/a<b>&\"'", "/tmp/\x1b[2J"));
  const svg = drawGraph(graphOf(steps, []), `<script>&"`);
  assert(!svg.includes("<script>") && !svg.includes("\x1b"), svg);
  const tags = svg.match(/<[^>]*>/g)!;
  const open: string[] = [];
  for (const tag of tags) {
    const name = /^<\/?(\w+)/.exec(tag)![1]!;
    if (tag.startsWith("</")) assertEquals(open.pop(), name);
    else if (!tag.endsWith("/>")) open.push(name);
  }
  assertEquals(open, []);
});

test("the graph shows the owners of the namespaces", () => {
  const { namespaces } = graphOf(recipe(unshare("user", "uts"), mapRoot()), []);
  assertEquals([namespaces.uts, namespaces.net], ["own", "host"]);
  const joined = graphOf(recipe(join(Deno.pid, "net")), []).namespaces;
  assertEquals([joined.net, joined.uts], ["joined", "host"]);
});

test("the graph shows the mounts and their sources, as in the new root", () => {
  const inOwn = (...steps: Parameters<typeof recipe>) =>
    graphOf(recipe(unshare("user", "mount"), mapRoot(), ...steps), []).mounts;
  const host = { target: "/", sources: [{ path: "/", changes: true }], readOnly: false };
  const usr = { target: "/usr", sources: [{ path: "/usr", changes: false }], readOnly: true };
  assertEquals(inOwn(), [host]);
  assertEquals(
    inOwn(tmpfs("/tmp"), bind("/usr", "/tmp/usr", { readOnly: true }), pivotRoot("/tmp")),
    [{ target: "/", sources: [], type: "tmpfs", readOnly: false }, usr],
  );
  assertEquals(
    inOwn(bind("/usr", "/srv/x/usr", { readOnly: true }), chroot("/srv/x")),
    [{ ...host, sources: [{ path: "/srv/x", changes: true }] }, usr],
  );
  assertEquals(inOwn(bind("/usr", "/mnt/usr"), tmpfs("/mnt")).length, 2);
  assertEquals(inOwn(overlay("/mnt", { lower: ["/a", "/b"], upper: "/u", work: "/w" }))[1], {
    target: "/mnt",
    sources: [
      { path: "/u", changes: true },
      { path: "/a", changes: false },
      { path: "/b", changes: false },
    ],
    type: "overlay",
    readOnly: false,
  });
  assertEquals(inOwn(tmpfs("/mnt"), remount("/mnt", "ro"))[1]!.readOnly, true);
});

test("every mount of the host in a sandbox is a need", () => {
  const box = sandbox({ read: ["/usr/share"] });
  const { mounts, needs } = graphOf(box, box.needs());
  assert(mounts.every(({ sources }) => sources.every(({ changes }) => !changes)));
  assert(needs.every(({ kind }) => kind === "read"));
  assert(mounts.some(({ target }) => target === "/usr/share"));
});

test("each need has the flag that grants it", () => {
  assertEquals(flagsOf({ kind: "write", path: "/x" }), ["--allow-write=/x"]);
  assertEquals(flagsOf({ kind: "privilege", privilege: "all" }), ["--allow-run", "--allow-sys"]);
  assertEquals(flagsOf({ kind: "terminal" }), ["--allow-run", "--allow-sys"]);
  assertEquals(flagsOf({ kind: "kernel" }), ["--allow-sys"]);
  assertEquals(flagsOf({ kind: "lifetime" }), ["--allow-sys"]);
  assertEquals(flagsOf({ kind: "run", program: "sh" }), []);
});

test("plan needs a recipe", async () => {
  const { code, stderr } = await ramekin("plan");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "RECIPE is missing");
});
