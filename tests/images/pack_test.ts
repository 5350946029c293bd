/** Images of recipes: their files, their configuration, and what of a recipe is no part of them. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { type Image, packImage, pull, storedImage, storedImages } from "../../images/mod.ts";
import { readTarIndex } from "../../images/layer/mod.ts";
import {
  bind,
  chdir,
  clearEnv,
  limits,
  mapRoot,
  mkdir,
  mknod,
  overlay,
  pivotRoot,
  proc,
  programs,
  type Recipe,
  recipe,
  RecipeError,
  root as rootOf,
  setEnv,
  setUser,
  symlink,
  tmpfs,
  unmount,
  unshare,
  writeFile,
} from "../../mod.ts";
import { root } from "../support.ts";
import { archive, Kitchen, reg } from "./layer/archives.ts";
import { BUSYBOX, type MadeFile, makeImage, writeLayout } from "./made_image.ts";
import { output, without } from "./programs.ts";
import { assertImageError, inDirectory } from "./support.ts";

const noBusybox = BUSYBOX === undefined ? "needs a static busybox (busybox-static)" : undefined;

/** The files of the topmost layer of an image: name, kind, mode, owner, target. */
async function topLayer(image: Image): Promise<string[]> {
  return (await topEntries(image)).map(({ name, kind, mode, uid, gid, mtime, target }) =>
    [name, kind, mode.toString(8), `${uid}:${gid}`, mtime.seconds, target].join(" ").trimEnd()
  );
}

async function topEntries(image: Image) {
  const blob = await Deno.readFile(image.blobPath(image.layers.at(-1)!.digest));
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, gunzipSync(blob));
    return readTarIndex(path);
  } finally {
    await Deno.remove(path);
  }
}

/** Packs a recipe into a store, and gives its image. */
async function packed(
  directory: string,
  made: Recipe,
  options: Parameters<typeof packImage>[2] = {},
): Promise<Image & { readonly told: readonly string[] }> {
  const store = options.from?.store ?? `${directory}/store`;
  const { digest, notPacked } = await packImage(made, "kitchen:1", { store, ...options });
  const image = (await storedImage("kitchen:1", { store }))!;
  assertEquals(image.digest, digest);
  return Object.assign(image, { told: notPacked.map(({ step, name }) => `${step} ${name}`) });
}

/** Pulls an image of these layers. */
async function base(
  directory: string,
  layers: readonly (readonly MadeFile[])[],
  config: Readonly<Record<string, unknown>> = {},
): Promise<Image> {
  writeLayout(`${directory}/layout`, { tag: makeImage({ layers, config }) });
  return await pull(`oci:${directory}/layout:tag`, { store: `${directory}/store`, name: "base:1" });
}

const KITCHEN = [
  unshare("user", "mount", "pid"),
  mapRoot(),
  tmpfs("/mnt", { mode: 0o711 }),
  mkdir("/mnt/srv", { mode: 0o750 }),
  writeFile("/mnt/srv/menu", "soup\n", { mode: 0o640 }),
  mknod("/mnt/srv/pipe", { type: "p" }),
  symlink("srv/menu", "/mnt/today"),
  tmpfs("/mnt/tmp"),
  writeFile("/mnt/tmp/thrown-away", ""),
  proc("/mnt/proc"),
  pivotRoot("/mnt"),
  chdir("/srv"),
  clearEnv(),
  setEnv({ DISH: "soup" }),
  setUser({ uid: 0, gid: 0 }),
  limits({ memory: "64m" }),
];

inDirectory(
  "a recipe's root is an image, the same whoever packs it and when",
  async (directory) => {
    await using image = await packed(directory, recipe(...KITCHEN), {
      config: { cmd: ["./cook"] },
    });
    assertEquals(image.told, [
      ...["1 unshare", "2 mapRoot", "8 tmpfs", "9 writeFile", "10 proc", "16 limits"],
    ]);
    assertEquals(await topLayer(image), [
      "./ directory 711 0:0 0",
      "today symlink 777 0:0 0 srv/menu",
      "proc/ directory 755 0:0 0",
      "srv/ directory 750 0:0 0",
      "srv/menu file 640 0:0 0",
      "srv/pipe fifo 644 0:0 0",
      "tmp/ directory 1777 0:0 0",
    ]);
    const { cmd, env, workingDir, user, created, platform } = image.config;
    assertEquals({ cmd, env, workingDir, user, created }, {
      cmd: ["./cook"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DISH=soup"],
      workingDir: "/srv",
      user: "0:0",
      created: "1970-01-01T00:00:00Z",
    });
    assertEquals(platform, image.platform);
    // Nobody's clock, umask or owner is in it.
    const diffId = "sha256:fc3f00d0484ad14cc9e844b2db77fec1f8334ad0af1ed1ef6b00ebeb3750faab";
    assertEquals(image.layers.map(({ diffId }) => diffId), [diffId]);
    const again = await packImage(recipe(...KITCHEN), "kitchen:2", {
      store: `${directory}/other-store`,
      config: { cmd: ["./cook"] },
    });
    assertEquals(again.digest, image.digest);
    const later = await packImage(recipe(...KITCHEN), "kitchen:2", {
      store: `${directory}/other-store`,
      config: { cmd: ["./cook"] },
      epoch: 1_700_000_000,
    });
    assert(later.digest !== image.digest);
  },
);

inDirectory("an image is written to layouts and archives, and not kept", async (directory) => {
  const store = `${directory}/store`;
  const outputs = ["oci:DIR/layout:a", "oci:DIR/layout:b", "oci-archive:DIR/a.tar:kitchen:1"];
  const digests = new Set<string>();
  for (const output of [...outputs, "docker-archive:DIR/b.tar", "oci:DIR/unnamed"]) {
    const name = output.replace("DIR", directory);
    const { digest } = await packImage(recipe(...KITCHEN), name, { store });
    digests.add(digest);
    await using image = await pull(name, { store: `${directory}/other-store`, unpack: false });
    digests.add(image.digest);
  }
  assertEquals(digests.size, 1);
  assertEquals(await storedImages({ store }), []);
  assertEquals([...Deno.readDirSync(`${store}/blobs/sha256`)], []);
  const left = [...Deno.readDirSync(directory)].map(({ name }) => name).toSorted();
  assertEquals(left, ["a.tar", "b.tar", "layout", "other-store", "store", "unnamed"]);
  const index = JSON.parse(await Deno.readTextFile(`${directory}/layout/index.json`));
  assertEquals(index.manifests.length, 2);
  if (without("skopeo") === undefined) {
    const text = await output("skopeo", "inspect", `oci:${directory}/layout:b`);
    assertEquals([JSON.parse(text).Digest], [...digests]);
  }
});

const BASE = [[
  { name: "usr/", type: "directory" },
  { name: "usr/lib/", type: "directory", mode: 0o711, uid: 3, gid: 4 },
  { name: "lib", type: "symlink", target: "usr/lib" },
  { name: "etc/", type: "directory" },
  { name: "etc/motd", content: "hello\n", mode: 0o604, uid: 5 },
  { name: "opt/", type: "directory" },
  { name: "opt/old", content: "old" },
  { name: "root/", type: "directory", mode: 0o700 },
  { name: "lib/secret/", type: "directory", mode: 0o700, uid: 0 },
  { name: "lib/secret/key", content: "old", mode: 0o600 },
], [{ name: "etc/", type: "directory", mode: 0o750, gid: 9 }]] as const;

inDirectory(
  "over a base, the layer has what is new and the directories around it",
  async (directory) => {
    const config = { Env: ["SALT=1", "DISH=stew"], Entrypoint: ["cook"], Cmd: ["--slowly"] };
    await using from = await base(directory, BASE, config);
    Deno.mkdirSync(`${directory}/new/deep`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/new/deep/file`, "new", { mode: 0o600 });
    const steps = [
      writeFile("/lib/by-a-link", "x"),
      writeFile("/lib/secret/key", "new"),
      writeFile("/etc/motd", "good day\n"),
      mkdir("/root", { mode: 0o711 }),
      mkdir("/usr"),
      bind(`${directory}/new`, "/opt"),
      setEnv({ DISH: "soup" }),
      setUser({ uid: 7 }),
      mkdir("/home/cook"),
      symlink("nowhere", "/etc/motd", { keep: true }),
    ];
    const options = { from, copy: [`${directory}/new`], epoch: 50 };
    await using image = await packed(directory, recipe(...steps), options);
    assertEquals(image.told, []);
    assertEquals((await topLayer(image)).filter((line) => !line.startsWith("opt/ ")), [
      "etc/ directory 750 0:9 50",
      "etc/motd file 604 5:0 50",
      "home/ directory 755 7:7 50",
      "home/cook/ directory 755 7:7 50",
      "opt/.wh..wh..opq file 600 0:0 50",
      "opt/deep/ directory 755 0:0 50",
      "opt/deep/file file 600 0:0 50",
      "root/ directory 711 0:0 50",
      "usr/ directory 755 0:0 50",
      "usr/lib/ directory 711 3:4 50",
      "usr/lib/by-a-link file 644 0:0 50",
      "usr/lib/secret/ directory 700 0:0 50",
      "usr/lib/secret/key file 600 0:0 50",
    ]);
    assertEquals(image.layers.slice(0, 2), from.layers);
    assertEquals(image.config.env, ["SALT=1", "DISH=soup"]);
    assertEquals([image.config.entrypoint, image.config.cmd], [["cook"], ["--slowly"]]);
    assertEquals(image.config.user, "7:7");
    const root = await image.directory();
    assertEquals([...Deno.readDirSync(`${root}/opt`)].map(({ name }) => name), ["deep"]);
    assertEquals(Deno.readTextFileSync(`${root}/lib/by-a-link`), "x");
    // Nothing new of files is no layer.
    await using bare = await packed(directory, recipe(setEnv({ A: "b" })), { from });
    assertEquals([bare.layers, bare.config.env], [from.layers, [...config.Env, "A=b"]]);
  },
);

inDirectory("a copy has what every user and machine has of a file", async (directory) => {
  const files = `${directory}/files`;
  Deno.mkdirSync(`${files}/sub`, { recursive: true });
  Deno.writeTextFileSync(`${files}/a`, "a", { mode: 0o755 });
  Deno.linkSync(`${files}/a`, `${files}/sub/same`);
  Deno.symlinkSync("/etc/shadow", `${files}/link`);
  Deno.writeTextFileSync(`${files}/setuid`, "");
  if (root) Deno.chownSync(`${files}/setuid`, 1234, 0);
  Deno.chmodSync(`${files}/setuid`, 0o4755);
  Deno.mkdirSync(`${files}/closed`);
  Deno.writeTextFileSync(`${files}/secret`, "");
  if (!root) { for (const name of ["closed", "secret"]) Deno.chmodSync(`${files}/${name}`, 0); }
  using _socket = Deno.listen({ transport: "unix", path: `${files}/socket` });
  const made = recipe(
    tmpfs("/mnt"),
    bind(files, "/mnt/srv"),
    bind(`${files}/a`, "/mnt/b"),
    pivotRoot("/mnt"),
  );
  const store = `${directory}/store`;
  const { notCopied, digest } = await packImage(made, "kitchen:1", { store, copy: true });
  const told = notCopied.map(({ path, what, why }) => `${path}: ${what}: ${why}`);
  assertEquals(told.toSorted(), [
    ...(root ? [] : ["/srv/closed: directory: this user may not read it"]),
    ...(root ? [] : ["/srv/secret: file: this user may not read it"]),
    "/srv/setuid: mode 04755: its copy belongs to root",
    "/srv/socket: socket: it is this machine's",
  ]);
  await using image = (await storedImage("kitchen:1", { store }))!;
  assertEquals((await topLayer(image)).filter((text) => !/(closed|secret)/.test(text)), [
    "./ directory 755 0:0 0",
    "b file 755 0:0 0",
    "srv/ directory 755 0:0 0",
    "srv/a hardlink 755 0:0 0 b",
    "srv/link symlink 777 0:0 0 /etc/shadow",
    "srv/setuid file 755 0:0 0",
    "srv/sub/ directory 755 0:0 0",
    "srv/sub/same hardlink 755 0:0 0 b",
  ]);
  if (!root) {
    const bound = recipe(tmpfs("/mnt"), bind(`${files}/secret`, "/mnt/secret"), pivotRoot("/mnt"));
    await assertImageError(
      () => packImage(bound, "kitchen:2", { store, copy: true }),
      "denied",
      `${files}/secret cannot be copied: this user may not read it`,
    );
  }
  // The times of files on this machine are not in it.
  Deno.utimeSync(`${files}/a`, 5, 5);
  const again = await packImage(made, "kitchen:1", { store, copy: ["/"] });
  assertEquals(again.digest, digest);
  for (const name of ["closed", "secret"]) Deno.chmodSync(`${files}/${name}`, 0o700);
});

inDirectory(
  "a copy has attributes that every user sees and every machine knows",
  async (directory) => {
    using kitchen = new Kitchen();
    const [value, caps] = [
      new Uint8Array([0, 255]),
      Buffer.from("0100000200200000000000000000000000000000", "hex"),
    ];
    const pax = { "SCHILY.xattr.user.a": value, "SCHILY.xattr.trusted.b": value };
    await kitchen.unpack(
      archive(reg("f", "x", { pax: { ...pax, "SCHILY.xattr.security.capability": caps } })),
    );
    const made = recipe(tmpfs("/mnt"), bind(`${kitchen.root}/f`, "/mnt/f"), pivotRoot("/mnt"));
    await using image = await packed(directory, made, { copy: true });
    const [file] = (await topEntries(image)).filter(({ name }) => name === "f");
    assertEquals(file!.xattrs.map(({ name }) => name), [
      ...(root ? ["security.capability"] : []),
      "user.a",
    ]);
  },
);

inDirectory("a program with its libraries is an image that runs", async (directory) => {
  const made = recipe(
    unshare("user", "mount"),
    mapRoot(),
    tmpfs("/mnt"),
    programs("/bin/cat", { copy: true }),
    writeFile("/mnt/menu", "soup\n"),
    pivotRoot("/mnt"),
  );
  const config = { entrypoint: ["/bin/cat"], cmd: ["/menu"] };
  {
    // A recipe is data: it does not decide which files of this machine are in an image.
    await using image = await packed(directory, made, { config });
    assertEquals(image.told, ["1 unshare", "2 mapRoot", "4 programs"]);
  }
  await using image = await packed(directory, made, { config, copy: true });
  assertEquals((await (await image.command()).output()).text(), "soup\n");
});

inDirectory("a directory with a system in it is an image", async (directory) => {
  const system = `${directory}/system`;
  Deno.mkdirSync(`${system}/bin`, { recursive: true });
  Deno.copyFileSync(BUSYBOX!, `${system}/bin/busybox`);
  Deno.symlinkSync("busybox", `${system}/bin/sh`);
  const made = recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    rootOf(system, { discard: true }),
  );
  const options = { copy: [system], config: { cmd: ["sh", "-c", "echo $0 from /bin/*"] } };
  await using image = await packed(directory, made, options);
  assertEquals((await (await image.command()).output()).text(), "sh from /bin/busybox /bin/sh\n");
  // The same by the steps that root() stands for.
  const longhand = recipe(overlay(system, { lower: [system], discard: true }), pivotRoot(system));
  await using other = await packed(directory, longhand, options);
  assert((await topLayer(other)).includes("bin/sh symlink 777 0:0 0 busybox"));
}, noBusybox);

inDirectory("a step that no image can follow is refused by its number", async (directory) => {
  await using from = await base(directory, BASE);
  const store = from.store;
  const refused = async (
    says: string,
    steps: Recipe["steps"],
    options: Parameters<typeof packImage>[2] = {},
  ) => {
    const error = await assertRejects(
      () => packImage({ steps }, "kitchen:1", { store, ...options }),
      RecipeError,
    );
    assertEquals(error.message.split("\n")[0], says);
  };
  const entered = [tmpfs("/mnt"), pivotRoot("/mnt")];
  await refused(
    "it makes no root, and there is no image whose files are the root: name one (--from=IMAGE), " +
      "or begin with tmpfs() and pivotRoot(), or root()",
    [setEnv({ A: "b" })],
  );
  await refused(
    "step 1 (root): the root is /usr of this machine, which is copied with --copy=/usr",
    [rootOf("/usr")],
  );
  await refused(
    "step 1 (root): the root is /usr, and --from names another one: leave one of them out",
    [rootOf("/usr")],
    { from, copy: true },
  );
  await refused(
    "step 3 (chroot): an image has one root, and an earlier step enters it",
    [...entered, { step: "chroot", path: "/x" }],
  );
  await refused(
    "step 3 (writeFile): there is no directory /a; mkdir() makes it",
    [...entered, writeFile("/a/b", "")],
  );
  await refused(
    "step 2 (symlink): /lib exists already",
    [setEnv({}), symlink("x", "/lib")],
    { from },
  );
  await refused("step 1 (writeFile): /etc is a directory", [writeFile("/etc", "")], { from });
  await refused(
    "step 1 (mkdir): /etc/motd/x leads through a file: motd",
    [mkdir("/etc/motd/x")],
    { from },
  );
  await refused(
    "step 1 (bind): there is no /nonesuch on this machine",
    [bind("/nonesuch", "/x"), bind("/nonesuch", "/y", { optional: true })],
    { from, copy: true },
  );
  await refused(
    'step 2 (mkdir): it makes a file of "cook", whose ids are those of a run: give setUser() ids, ' +
      "or make the file before",
    [setUser({ name: "cook" }), mkdir("/x")],
    { from },
  );
  const loop = [symlink("b", "/a"), symlink("a", "/b"), writeFile("/a", "")];
  await refused("step 3 (writeFile): /a leads over too many links", loop, { from });
  const upper = overlay("/mnt", { lower: ["/usr"], upper: "/a", work: "/b" });
  await refused(
    'step 1 (overlay): what is in "upper" over an image is packed by ramekin commit',
    [upper, pivotRoot("/mnt")],
  );
  const names = (await storedImages({ store })).map(({ shortName }) => shortName);
  assertEquals(names, ["base:1"]);
  const pack = (output: string) => packImage(recipe(...entered), output, { store });
  await assertImageError(() => pack("dir:/x"), "reference", "no image is written to dir:/x");
  await assertImageError(() => pack("kitchen.tar"), "reference", "oci-archive:kitchen.tar");
  await assertImageError(() => pack(`oci:${directory}`), "invalid", "is no image layout");
});

inDirectory("what a step shows is told, and not in the image", async (directory) => {
  await using from = await base(directory, BASE);
  const steps = [
    bind("/etc/passwd", "/made/parent/passwd"),
    tmpfs("/run"),
    writeFile("/run/x", ""),
    unmount("/run"),
    writeFile("/run/y", ""),
    bind("/dev/null", "/null"),
  ];
  await using image = await packed(directory, recipe(...steps), { from, copy: ["/dev"] });
  assertEquals(image.told, ["1 bind", "2 tmpfs", "3 writeFile", "4 unmount", "6 bind"]);
  assertEquals(await topLayer(image), [
    "made/ directory 755 0:0 0",
    "made/parent/ directory 755 0:0 0",
    "run/ directory 1777 0:0 0",
    "run/y file 644 0:0 0",
  ]);
});
