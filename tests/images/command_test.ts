/** Images from the command line, as it is installed for them. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { recipe } from "../../mod.ts";
import { sizeText } from "../../scripts/ramekin/image_report.ts";
import { ReportState } from "../../scripts/ramekin/image_report.ts";
import { RUN } from "../ramekin/support.ts";
import { test } from "../support.ts";
import { FixtureRegistry } from "./fixture_registry.ts";
import { BUSYBOX, makeImage, systemFiles, writeLayout } from "./made_image.ts";
import { payloadOf, putTagged, Signer, simpleSigning } from "./signed_image.ts";
import { inDirectory } from "./support.ts";

const needsBusybox = BUSYBOX === undefined ? "needs a static busybox (busybox-static)" : undefined;

/** The command, which may also write. */
const COMMAND = RUN.toSpliced(
  -1,
  0,
  "--allow-write",
);

/** Runs the command with a store in the directory. */
async function ramekin(directory: string, ...words: readonly string[]) {
  return await runIn(directory, [...COMMAND, ...words]);
}

async function runIn(directory: string, [program, ...args]: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(program!, {
    args,
    cwd: directory,
    env: { RAMEKIN_IMAGES: `${directory}/store`, XDG_RUNTIME_DIR: directory, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

inDirectory("what an image says of itself is shown escaped, on its line", async (directory) => {
  const evil = "\x1b[31mred\x1b[39m\x9b2J\u202e\nname        trusted:1";
  const config = {
    Entrypoint: [evil],
    Cmd: [evil],
    Env: [`DISH=${evil}`],
    User: evil,
    WorkingDir: `/${evil}`,
    StopSignal: evil,
    Labels: { [evil]: evil },
    ExposedPorts: { [evil]: {} },
    Volumes: { [`/${evil}`]: {} },
  };
  writeLayout(`${directory}/layout`, { tag: makeImage({ layers: [systemFiles()], config }) });
  await ramekin(directory, "pull", "oci:layout:tag", "--name=tool:1");
  const shown = await Promise.all([
    ramekin(directory, "inspect", "tool:1"),
    ramekin(directory, "inspect", "tool:1", "--json"),
    ramekin(directory, "images"),
    ramekin(directory, "run", "--image=tool:1"),
  ]);
  assertEquals(shown[0]!.code, 0, shown[0]!.stderr);
  for (const { stdout, stderr } of shown) {
    const text = stdout + stderr;
    assertEquals(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u.exec(text), null, JSON.stringify(text));
    assertEquals(/^name +trusted/m.exec(text), null, text);
  }
});

inDirectory(
  "an image larger than it may be is not downloaded, and not unpacked",
  async (directory) => {
    writeLayout(`${directory}/layout`, { tag: makeImage({ layers: [systemFiles()] }) });
    const small = await ramekin(directory, "pull", "oci:layout:tag", "--name=a:1", "--max-size=10");
    assertEquals(small.code, 1, small.stderr);
    assertMatch(small.stderr, /have \d+ bytes, and 10 are the most\n {2}allow more.*--max-size/);
    const { stdout } = await ramekin(directory, "images", "--json");
    assertEquals(JSON.parse(stdout), []);
    const full = await ramekin(directory, "pull", "oci:layout:tag", "--max-store-size=1k");
    assertEquals(full.code, 1, full.stderr);
    assertMatch(
      full.stderr,
      /needs \d+ bytes more, and .*store has 0 of the 1024 that it may have/,
    );
    // A layer that is compressed may become more.
    await ramekin(directory, "pull", "oci:layout:tag", "--name=a:1", "--no-unpack");
    const run = await ramekin(directory, "run", "--image=a:1", "--max-size=1k", "--", "true");
    assertEquals(run.code, 125);
    assertStringIncludes(run.stderr, "more than maxBytes (--max-size)");
  },
);

inDirectory("an image is pulled, listed, run and removed", async (directory) => {
  const config = { Entrypoint: ["sh", "-c"], Cmd: ["id -u; echo $DISH"], Env: ["DISH=soup"] };
  const image = makeImage({ layers: [systemFiles()], config: { ...config, User: "cook" } });
  writeLayout(`${directory}/layout`, { tag: image });
  const { digest } = image.manifest;
  const pulled = await ramekin(directory, "pull", "oci:layout:tag", "--name=tool:1");
  assertEquals([pulled.code, pulled.stdout], [0, `docker.io/library/tool:1@${digest}\n`]);
  assertMatch(pulled.stderr, /^oci:layout:tag for linux\/\w+: 1 layer, \d+\.\d MB\n[0-9a-f]{12} /);
  const { stdout } = await ramekin(directory, "images", "--json");
  assertEquals(JSON.parse(stdout)[0].shortName, "tool:1");
  // To look takes no right to write.
  assertStringIncludes((await runIn(directory, [...RUN, "images"])).stdout, "tool:1");
  const none = await runIn(directory, [...RUN, "run", "--pull=never", "--image=tool:2"]);
  assertStringIncludes(none.stderr, "there is no image tool:2 in the store, and --pull=never");
  const ran = await ramekin(directory, "run", "--image=tool:1");
  assertEquals(ran, { code: 0, stdout: "1234\nsoup\n", stderr: "" });
  const detached = await ramekin(directory, "run", "-d", "--name=cook", "--image=tool:1");
  assertEquals(detached, { code: 0, stdout: "cook\n", stderr: "" });
  assertEquals((await ramekin(directory, "wait", "cook")).code, 0);
  assertEquals((await ramekin(directory, "logs", "cook")).stdout, "1234\nsoup\n");
  assertEquals((await ramekin(directory, "rm", "cook")).code, 0);
  const unsaved = await ramekin(directory, "save", "tool:1", "-o", "missing/tool.tar");
  assertEquals(unsaved.code, 1);
  assertMatch(unsaved.stderr, /'missing\/tool.tar'\n$/);
  assertEquals((await ramekin(directory, "save", "tool:1", "-o", "tool.tar")).code, 0);
  const loading = [...COMMAND, "load", "-", "--name=tool:3"].map((word) => `'${word}'`).join(" ");
  const loaded = await runIn(directory, ["sh", "-c", `${loading} < tool.tar`]);
  assertEquals([loaded.code, loaded.stdout], [0, `docker.io/library/tool:3@${digest}\n`]);
  assertEquals((await ramekin(directory, "rmi", "tool:3")).code, 0);
  const inspected = await ramekin(directory, "inspect", "tool:1");
  assertMatch(inspected.stdout, / in 1 layer$/m);
  const untagged = await ramekin(directory, "inspect", "tool");
  assertStringIncludes(untagged.stderr, "there is no image tool in the store\n  there is tool:1\n");
  const words = [
    "run",
    "--image=tool:1",
    "-e=DISH=stew",
    "-v=layout:/shown:ro",
    "-u=0",
    "--read-only",
  ];
  const other = await ramekin(directory, ...words, "--", "id -u; echo $DISH; ls /shown; exit 3");
  assertEquals([other.code, other.stdout], [3, "0\nstew\nblobs\nindex.json\noci-layout\n"]);
  const missing = await ramekin(directory, "run", "--image=tool:1", "--entrypoint=/nonesuch");
  assertEquals(missing.code, 127, missing.stderr);
  assertEquals((await ramekin(directory, "rmi", "tool:1")).stdout, "docker.io/library/tool:1\n");
}, needsBusybox);

inDirectory("a recipe is packed, and what is no part of the image is told", async (directory) => {
  const yaml = `steps:
  - { step: unshare, kinds: [mount] }
  - { step: tmpfs, target: /mnt }
  - { step: bind, source: bread, target: /mnt/bread }
  - { step: bind, source: salt, target: /mnt/salt }
  - { step: pivotRoot, path: /mnt }
  - { step: hostname, name: kitchen }
  - { step: domainname, name: kitchen }\n`;
  await Deno.writeTextFile(`${directory}/box.yaml`, yaml);
  for (const name of ["bread", "salt"]) await Deno.writeTextFile(`${directory}/${name}`, name);
  const words = ["box.yaml", "--copy=bread,/nonesuch", "-e=DISH=soup", "-u=cook"];
  const packed = await ramekin(directory, "pack", ...words, "-o=box:1", "--", "/bread");
  assertEquals(packed.code, 0, packed.stderr);
  assertEquals(packed.stderr.split("\n"), [
    "no part of the image:",
    "  step 1 (unshare): namespaces and ids are of a run, and every engine makes them",
    "  step 4 (bind): salt is of this machine: --copy=salt copies it",
    "  step 6 (hostname), step 7 (domainname): the name is of a run: podman run --hostname",
    "",
  ]);
  const inspected = await ramekin(directory, "inspect", "box:1", "--json");
  const { config, digest } = JSON.parse(inspected.stdout);
  assertEquals([config.cmd, config.user], [["/bread"], "cook"]);
  assertEquals(packed.stdout, `docker.io/library/box:1@${digest}\n`);
  const json = await ramekin(directory, "pack", "box.yaml", "-o=oci:layout:1", "--copy", "--json");
  const result = JSON.parse(json.stdout);
  assertEquals([result.name, result.notPacked.length, result.notCopied], ["oci:layout:1", 3, []]);
  const none = await ramekin(directory, "pack", "box.yaml");
  assertStringIncludes(none.stderr, "-o=OUTPUT is missing");
  await Deno.writeTextFile(`${directory}/bad.yaml`, `${yaml}  - { step: mkdir, path: /bread/x }\n`);
  const bad = await ramekin(directory, "pack", "bad.yaml", "--copy", "-o=box:2");
  assertEquals(bad.code, 1);
  assertStringIncludes(
    bad.stderr,
    "bad.yaml:9:5: step 8 (mkdir): /bread/x leads through a file: bread",
  );
});

inDirectory("what a command line cannot mean is refused", async (directory) => {
  const refused = async (code: number, says: string, ...words: readonly string[]) => {
    const result = await ramekin(directory, ...words);
    assertEquals(result.code, code, result.stderr);
    assertStringIncludes(result.stderr, says);
  };
  await refused(1, "did you mean debian:12 ?", "pull", "Debian:12");
  await refused(1, "there is no image tool in the store", "inspect", "tool");
  await refused(125, "--allow-read is for recipes", "run", "--image=tool", "--allow-read");
  await refused(125, "--volume=a:/b: there is no such file", "run", "--image=tool", "-v=a:/b");
  await Deno.writeTextFile(`${directory}/soup`, "leek".repeat(200));
  await refused(1, "soup is no archive that can be read", "load", "soup");
  await refused(125, "--volume=a is not of the form", "run", "--image=tool", "--volume=a");
  await refused(125, "--user is for --image=IMAGE", "run", "box.yaml", "--user=cook");
});

inDirectory(
  "Ctrl-C ends a pull, and leaves no process and no temporary file",
  async (directory) => {
    await using registry = new FixtureRegistry();
    const image = makeImage();
    const reference = registry.put("tool:1", image);
    const asked = Promise.withResolvers<void>();
    registry.answer = (_, url) => {
      if (!url.pathname.endsWith(image.layers[0]!.digest)) return undefined;
      asked.resolve();
      return new Response(new ReadableStream());
    };
    const [program, ...args] = [...COMMAND, "pull", reference];
    const child = new Deno.Command(program!, {
      args,
      env: { RAMEKIN_IMAGES: `${directory}/store` },
      stdout: "null",
      stderr: "null",
    }).spawn();
    await asked.promise;
    child.kill("SIGINT");
    assertEquals((await child.status).code, 130);
    assertEquals([...Deno.readDirSync(`${directory}/store/ramekin/work`)], []);
  },
);

test("the progress of a pull is one line with the speed and the time left", () => {
  const state = new ReportState();
  const layers = [{ digest: "sha256:1", size: 60_000_000 }, {
    digest: "sha256:2",
    size: 40_000_000,
  }];
  assertEquals(state.text("debian", 0), "debian: looking for it");
  state.add({ kind: "layers", platform: "linux/amd64", layers });
  state.add({ kind: "download", digest: "sha256:1", bytes: 0, size: 60_000_000 });
  state.add({ kind: "download", digest: "sha256:1", bytes: 20_000_000, size: 60_000_000 });
  state.add({ kind: "downloaded", digest: "sha256:2", size: 40_000_000, isNew: false });
  assertEquals(
    state.text("debian", 2),
    "debian: downloading 2 layers, 60.0 MB of 100.0 MB, 10.0 MB/s, 4 s left",
  );
  state.add({ kind: "unpack", digest: "sha256:1", bytes: 50_000_000, size: 60_000_000 });
  assert(state.text("debian", 3).startsWith("debian: unpacking 2 layers, 50.0 MB of 100.0 MB"));
  assertEquals([0, 999, 1000, 999_960, 1e12].map(sizeText), [
    "0 B",
    "999 B",
    "1.0 kB",
    "1.0 MB",
    "1.0 TB",
  ]);
});

test("the progress at a terminal is one line that is cleared at the end", async () => {
  const directory = await Deno.makeTempDir({ prefix: "ramekin-images-" });
  try {
    writeLayout(`${directory}/layout`, { tag: makeImage() });
    const [program, ...args] = [...COMMAND, "pull", `oci:${directory}/layout:tag`, "--no-unpack"];
    const { stdout } = await recipe().command(program!, {
      args,
      env: { RAMEKIN_IMAGES: `${directory}/store` },
      terminal: true,
      stdout: "piped",
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertStringIncludes(text, "\r\x1b[K");
    assertMatch(text.split("\r\x1b[K").at(-1)!, /^oci:\S+@sha256:[0-9a-f]{64}\r?\n$/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

inDirectory("an image has to be signed by the key that a flag names", async (directory) => {
  await using registry = new FixtureRegistry();
  const made = makeImage();
  const { digest } = made.manifest;
  const reference = registry.put("team/tool:1", made);
  const signer = await Signer.make();
  const payload = payloadOf(`${registry.host}/team/tool`, digest);
  const place = { registry, repository: "team/tool", digest };
  putTagged(place, [await simpleSigning(signer, payload)]);
  Deno.writeTextFileSync(`${directory}/cosign.pub`, signer.pem);
  Deno.writeTextFileSync(`${directory}/other.pub`, (await Signer.make()).pem);
  const pulled = await ramekin(directory, "pull", reference, "--verify-key=cosign.pub", "-q");
  assertEquals(pulled.code, 0, pulled.stderr);
  const inspected = await ramekin(directory, "inspect", reference);
  assertMatch(inspected.stdout, /^signed by +sha256:[0-9a-f]{64}$/m);
  const flags = [`--image=${reference}`, "--pull=never", "--verify-key=other.pub"];
  const run = await ramekin(directory, "run", ...flags, "--", "true");
  assertEquals(run.code, 125);
  assertMatch(run.stderr, /has a signature, and it is not by the key other.pub \(sha256:/);
  Deno.writeTextFileSync(`${directory}/box.yaml`, "steps: [{ step: mkdir, path: /srv }]");
  const words = ["box.yaml", `--from=${reference}`, "--verify-key=other.pub", "-o=box:1"];
  const packed = await ramekin(directory, "pack", ...words);
  assertEquals(packed.code, 1);
  assertMatch(packed.stderr, /it is not by the key other.pub/);
});
