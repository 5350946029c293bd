/** Boxes that `ramekin sandbox` keeps, and executes in place of Deno. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { buildBox } from "../../box/mod.ts";
import { concat } from "../../ffi/concat.ts";
import { recipe, umask } from "../../mod.ts";
import { claim } from "../leftovers.ts";
import { decode } from "../other_scripts.ts";
import { notRoot, test } from "../support.ts";

const COMMAND = new URL("../../dist/command.js", import.meta.url).pathname;

/** A home directory, and a directory to work in. */
class Home implements Disposable {
  readonly path: string = Deno.realPathSync(Deno.makeTempDirSync());
  readonly work: string = `${this.path}/work`;
  readonly boxes: string = `${this.path}/.cache/ramekin/boxes`;

  constructor() {
    Deno.mkdirSync(this.work);
    Deno.writeTextFileSync(`${this.work}/soup`, "hot");
  }

  /** The names of the boxes that are kept. */
  get kept(): readonly string[] {
    try {
      return Array.from(Deno.readDirSync(this.boxes), ({ name }) => name).sort();
    } catch {
      return [];
    }
  }

  /** Runs the command. */
  async run(words: readonly string[], options: Deno.CommandOptions & { mayKeep?: boolean } = {}) {
    const { mayKeep = true, ...others } = options;
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-config", "--no-prompt", "--allow-ffi", "--allow-read", "--allow-net"],
        ...(mayKeep ? [`--allow-write=${this.path}/.cache/ramekin`] : []),
        ...[COMMAND, ...words],
      ],
      cwd: this.work,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...others,
      env: { HOME: this.path, DENO_DIR: CACHE, NO_COLOR: "1", ...others.env },
    }).spawn();
    claim(process.pid);
    const { code, stdout, stderr } = await process.output();
    return { code, stdout: decode(stdout), stderr: decode(stderr) };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Where Deno keeps what it has compiled for the tests of this file. */
const CACHE = Deno.makeTempDirSync({ prefix: "ramekin-test-cache-" });
globalThis.addEventListener("unload", () => Deno.removeSync(CACHE, { recursive: true }));

/** Writes another box to a file, with the key of a kept one. */
function plant(path: string, kept: string): void {
  const file = Deno.readFileSync(kept);
  const key = file.subarray(file.lastIndexOf("[".charCodeAt(0)));
  const box = buildBox(recipe(umask(0o22)), { program: ["echo", "planted"] });
  Deno.writeFileSync(path, concat([box, key]), { mode: 0o700 });
}

const WHO = ["sandbox", "--", "cat", "/proc/self/comm"];
const PLANTED = "planted cat /proc/self/comm\n";

test("a sandbox is built once and executed from then on, if Deno lets it be kept", async () => {
  using home = new Home();
  const words = ["sandbox", "--allow-read=.", "--", "sh", "-c", "pwd; cat soup; exit 3"];
  const expected = { code: 3, stdout: `${home.work}\nhot`, stderr: "" };
  assertEquals(await home.run(words, { mayKeep: false }), expected);
  assertEquals(home.kept, []);
  assertEquals(await home.run(words), expected);
  const [name, ...more] = home.kept;
  assertEquals(more, []);
  const before = Deno.statSync(`${home.boxes}/${name}`);
  assertEquals(before.mode! & 0o7777, 0o700);
  assertEquals(Deno.statSync(home.boxes).mode! & 0o7777, 0o700);
  assertEquals(await home.run(words), expected);
  assertEquals(Deno.statSync(`${home.boxes}/${name}`).ino, before.ino);
});

test("what is executed is the kept box, which is Deno no more", async () => {
  using home = new Home();
  await home.run(WHO);
  const [name] = home.kept;
  // Another box in its place, with the same key, shows that it is the file that is executed.
  plant(`${home.boxes}/${name}`, `${home.boxes}/${name}`);
  assertEquals((await home.run(WHO)).stdout, PLANTED);
});

test("of a program that the sandbox lacks, a script says what shows it, beside a kept box", async () => {
  using home = new Home();
  const cook = `${home.work}/cook`;
  Deno.writeTextFileSync(cook, "#!/bin/sh\necho soup\n", { mode: 0o755 });
  await home.run(["sandbox", "--", "true"]);
  assertEquals(home.kept.length, 1);
  const lacking = await home.run(["sandbox", "--", "./cook"]);
  assertEquals(lacking.code, 127);
  assertStringIncludes(lacking.stderr, 'program not found in the container: "./cook"');
  const [, grants = ""] =
    /is on this machine alone; .* (--allow-read=[^,]+),/.exec(lacking.stderr) ??
      [];
  assertEquals(grants, `--allow-read=${cook}`);
  const missing = await home.run(["sandbox", "--", "nonesuch"]);
  assertStringIncludes(missing.stderr, "is it in the container's file tree?");
  // What it advises works, by a script and by a box.
  for (const _ of ["missing", "kept"]) {
    assertEquals((await home.run(["sandbox", grants, "--", "./cook"])).stdout, "soup\n");
  }
  assertEquals(home.kept.length, 2);
});

test("other flags and another directory have a box of their own", async () => {
  using home = new Home();
  Deno.mkdirSync(`${home.work}/inner`);
  const list = ["--", "sh", "-c", "ls -d soup /etc/hostname 2>/dev/null; echo $SPICE"];
  const env = { SPICE: "dill" };
  for (const _ of ["missing", "kept"]) {
    assertEquals((await home.run(["sandbox", ...list], { env })).stdout, "\n");
    assertEquals((await home.run(["sandbox", "-R=.", ...list], { env })).stdout, "soup\n\n");
    assertEquals(
      (await home.run(["sandbox", "-R=.", ...list], { env, cwd: `${home.work}/inner` })).stdout,
      "\n",
    );
    assertEquals((await home.run(["sandbox", "-E=SPICE", ...list], { env })).stdout, "dill\n");
  }
  assertEquals(home.kept.length, 4);
});

test("a box is not executed by the key of another version", async () => {
  using home = new Home();
  await home.run(WHO);
  const path = `${home.boxes}/${home.kept[0]}`;
  const file = Deno.readFileSync(path);
  file[file.length - 10]! ^= 1;
  Deno.writeFileSync(path, file);
  const { ino } = Deno.statSync(path);
  assertEquals((await home.run(WHO)).code, 0);
  assertNotEquals(Deno.statSync(path).ino, ino, "it is built anew");
});

test("a file that somebody else could have written is not executed", async () => {
  using home = new Home();
  await home.run(WHO);
  const path = `${home.boxes}/${home.kept[0]}`;
  const real = `${home.path}/real`;
  Deno.copyFileSync(path, real);
  const runs = async () => (await home.run(WHO)).stdout;

  plant(path, real);
  assertEquals(await runs(), PLANTED, "the check of the test");
  for (
    const [change, back] of [
      [() => Deno.chmodSync(path, 0o722), () => {}],
      [() => Deno.chmodSync(home.boxes, 0o1777), () => Deno.chmodSync(home.boxes, 0o700)],
      [
        () => Deno.chmodSync(`${home.path}/.cache`, 0o777),
        () => Deno.chmodSync(`${home.path}/.cache`, 0o755),
      ],
      [() => {
        plant(`${home.path}/elsewhere`, real);
        Deno.removeSync(path);
        Deno.symlinkSync(`${home.path}/elsewhere`, path);
      }, () => {}],
      ...(notRoot ? [] : [
        [() => Deno.chownSync(path, 65534, 65534), () => {}],
        [() => Deno.chownSync(home.boxes, 65534, 65534), () => Deno.chownSync(home.boxes, 0, 0)],
      ] as const),
    ] as const
  ) {
    if (Deno.lstatSync(path).isSymlink) Deno.removeSync(path);
    plant(path, real);
    Deno.chmodSync(path, 0o700);
    change();
    assertNotEquals(await runs(), PLANTED, String(change));
    back();
  }
});

test("what a box would show otherwise is left to the script", async () => {
  using home = new Home();
  Deno.symlinkSync("work", `${home.path}/link`);
  const inside = ["--", "sh", "-c", "cat soup"];
  for (const flag of [`--allow-read=${home.path}/link`, "-R=../link", "-R=soup,nonesuch"]) {
    const words = ["sandbox", flag, "-R=.", ...inside];
    assertEquals(await home.run(words), await home.run(words, { mayKeep: false }), flag);
  }
  assertEquals(home.kept, []);
});

test("an audit and the status on a descriptor are left to the script", async () => {
  using home = new Home();
  for (const flag of ["--audit", "--audit=denied", "--status-fd=2"]) {
    const { stderr } = await home.run(["sandbox", flag, "--", "cat", "/etc/shadow"]);
    const told = flag === "--audit=denied" ? Deno.readTextFileSync(`${home.work}/denied`) : stderr;
    assertMatch(told, flag === "--status-fd=2" ? /"code":1/ : /\/etc\/shadow/);
  }
  assertEquals((await home.run(["sandbox", "--name=cook", "--", "true"])).code, 0);
  assertEquals(home.kept, []);
});

test("what a box cannot do is tried once, and done by the script", async () => {
  using home = new Home();
  const words = ["sandbox", "--allow-write=.", "--", "sh", "-c", "echo cold > soup"];
  for (const _ of ["missing", "noted"]) assertEquals((await home.run(words)).code, 0);
  const [name] = home.kept;
  assert(Deno.statSync(`${home.boxes}/${name}`).size < 500);
  for (const _ of ["missing", "noted"]) {
    const { stderr } = await home.run(["sandbox", "--restart=always", "--", "true"]);
    assertMatch(stderr, /--restart is for --detach/);
  }
  const wrong = await home.run(["sandbox", "--alow-read", "--", "true"]);
  assertMatch(wrong.stderr, /did you mean --allow-read/);
});

test("a kept box inherits what a program of the script does", async () => {
  using home = new Home();
  const script = "grep -E '^(Sig(Blk|Ign)|NoNewPrivs|Seccomp|CapEff)' /proc/self/status; " +
    "umask; ls /proc/self/fd | wc -l; ulimit -n; pwd; env | sort";
  const words = ["sandbox", "-E=SPICE", "--", "sh", "-c", script];
  const env = { SPICE: "dill", TERM: "dumb" };
  const run = async (mayKeep: boolean) => {
    const { code, stdout, stderr } = await home.run(words, { env, mayKeep });
    // posix_spawn(3) of glibc, by which the test starts it, leaves the signals of its own ignored.
    return [
      code,
      stderr,
      stdout.replace(/^SigIgn.*(.{8})$/m, (_, low) => `${parseInt(low, 16) & 0x7fff_ffff}`),
    ];
  };
  const expected = await run(false);
  assertEquals(await run(true), expected);
  assertEquals(await run(true), expected);
  assertEquals(home.kept.length, 1);
});

test("no more than 256 boxes are kept", async () => {
  using home = new Home();
  Deno.mkdirSync(home.boxes, { recursive: true, mode: 0o700 });
  for (let count = 0; count < 256; count++) {
    const path = `${home.boxes}/old${count}`;
    Deno.writeTextFileSync(path, "");
    Deno.utimeSync(path, count, count);
  }
  await home.run(WHO);
  assertEquals(home.kept.length, 128);
  assert(home.kept.includes("old255") && !home.kept.includes("old0"));
});
