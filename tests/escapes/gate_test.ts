/** Attacks by recipes that are granted only files to read: on what no namespace holds. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  bind,
  capabilities,
  chroot,
  describeAccess,
  type HostAccessKind,
  init,
  mapRoot,
  mkdir,
  newSession,
  PermissionError,
  type Permissions,
  propagation as propagate,
  recipe,
  seccomp,
  type Step,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { isAlive, readUntil, Script, until } from "../other_scripts.ts";
import { notRoot, test } from "../support.ts";
import { GATE_ATTACKS, KEY, PORT, READ, type Stranger, stranger } from "./gate_attacks.ts";
import { program } from "./support.ts";

interface Outcome {
  readonly code: number;
  readonly says: string;
}

interface Attempt {
  /** With all granted, without the protection. */
  readonly open: Outcome;
  /** With files granted, without the protection. */
  readonly gated: Outcome;
  /** With files granted and the protection. */
  readonly held: Outcome;
}

/** Has a key and a virtual socket, and then becomes the script. */
const OWNER = String.raw`
  $^F = 255;
  call("keyctl", 1, 0);
  my ($type, $description, $payload) = ("user", "${KEY.description}", "${KEY.payload}");
  call("add_key", $type, $description, $payload, length $payload, -3);
  my $socket = syscall(number("socket"), 40, 1, 0);
  my $address = pack("SSLLx4", 40, 0, ${PORT}, 0xffffffff);
  syscall(number("bind"), $socket, $address, 16);
  exec @ARGV;
`;

async function attempts(): Promise<readonly Attempt[]> {
  const script = new URL("gate_script.ts", import.meta.url).pathname;
  const { stdout } = await recipe().command("perl", {
    args: ["-e", program(OWNER), Deno.execPath(), "run", "-A", "--no-check", script],
    terminal: true,
    stdin: "null",
    stdout: "piped",
  }).output();
  const text = new TextDecoder().decode(stdout);
  // The output contains what an attack has typed too.
  const results = [...text.matchAll(/\{"open.*\}/g)].map(([line]) => JSON.parse(line));
  assertEquals(results.length, GATE_ATTACKS.length, text);
  return results;
}

/** What a kernel or a user says with which an attack cannot succeed. */
const NEVER: Partial<Record<HostAccessKind["kind"], RegExp>> = {
  // Linux 6.2, dev.tty.legacy_tiocsti.
  terminal: /Input\/output error/,
  kernel: /not implemented|not supported|No such device|cgroup.procs: Permission denied/,
  namespace: /cgroup.procs: Permission denied/,
};

/** How the denied need is told. */
const GATED: Partial<Record<HostAccessKind["kind"], RegExp>> = {
  terminal: /^not granted: the script's terminal\n/,
  kernel: /^not granted: keys, virtual sockets/,
  namespace: /^step \d+ \(mount\): not granted: the host's cgroup namespace\n/,
};

test("a recipe that is granted only files to read", async (): Promise<void> => {
  (await attempts()).forEach(({ open, gated, held }, index) => {
    const { name, need, says } = GATE_ATTACKS[index]!;
    if (NEVER[need]?.test(open.says) !== true) {
      assertEquals(open.code, 0, `${name} does not work: ${open.says}`);
    }
    assertEquals(gated.code, -1, `${name} is not a need`);
    assertMatch(gated.says, GATED[need]!, name);
    assert(held.code > 0, `${name} works`);
    assertMatch(held.says, says, name);
  });
});

/** Starts the attack in a script that then ends, and returns the pid of the container. */
async function leftBehind(steps: Stranger): Promise<number> {
  // prctl(PR_SET_PDEATHSIG, 0); the script ends when the program says that it has done so.
  const attack = program(
    String.raw`
      call("prctl", 1, 0);
      print "done\n";
      sleep 60;
    `,
  );
  const code = `
    const { recipe } = ramekin;
    const container = recipe(...${JSON.stringify(stranger(steps).steps)}).command("/usr/bin/perl", {
      args: ["-e", ${JSON.stringify(attack)}],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    for await (const _ of container.stdout) break;
    console.log(container.pid);
    Deno.exit();`;
  await using script = new Script(code);
  const text = await readUntil(script.process.stdout, (text) => text.includes("\n"));
  await script.process.status;
  await script.process.stdout.cancel();
  await script.process.stderr.cancel();
  return Number(text);
}

test("a program that resets its parent-death signal to outlive the script", async () => {
  const open = {}, held = { program: [init(), unshare("user")] };
  const pid = await leftBehind(open);
  assert(isAlive(pid), "it has ended with the script");
  Deno.kill(pid, "SIGKILL");
  await until(() => !isAlive(pid));
  const command = stranger(open).command("/bin/true", { permissions: { read: READ } });
  const error = assertThrows(() => command.outputSync(), PermissionError);
  assertMatch(error.message, /running on after the script/);

  assertEquals(
    stranger(held).needs().map(describeAccess).includes("running on after the script"),
    false,
  );
  const tied = await leftBehind(held);
  await until(() => !isAlive(tied));
});

/** Mounts a filesystem beneath a bound directory once the container runs, and writes to that. */
const ARRIVING = `
  const { recipe } = ramekin;
  const [directory, steps] = Deno.args;
  const command = recipe(...JSON.parse(steps)).command("sh", {
    args: ["-c", "read line; echo changed > /x/later/file"],
    stdin: "piped",
    stderr: "null",
  });
  await using container = command.spawn();
  await recipe().command("mount", { args: ["-t", "tmpfs", "later", directory + "/later"] }).output();
  await new Blob(["go\\n"]).stream().pipeTo(container.stdin);
  console.log((await container.status).code);`;

/** Runs it in a mount namespace of its own, whose mounts are shared. */
async function writesToLater(propagation: "private" | "slave"): Promise<boolean> {
  const directory = Deno.makeTempDirSync();
  const script = Deno.makeTempFileSync({ suffix: ".ts" });
  const module = new URL("../../mod.ts", import.meta.url).href;
  Deno.writeTextFileSync(script, `import * as ramekin from "${module}";${ARRIVING}`);
  const shown = bind(directory, "/mnt/x", { readOnly: true });
  const steps = stranger({ root: [shown] }).steps.flatMap((step): Step[] =>
    step.step === "unshare" ? [{ ...step, propagation }] : [step]
  );
  try {
    const { stdout } = await recipe(
      unshare("mount"),
      tmpfs(directory),
      propagate(directory, "shared"),
      mkdir(`${directory}/later`),
    ).command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, directory, JSON.stringify(steps)],
    }).output();
    return new TextDecoder().decode(stdout).trim() === "0";
  } finally {
    Deno.removeSync(script);
    Deno.removeSync(directory);
  }
}

test("a mount of the host that arrives in a directory to be read", async () => {
  assertEquals(await writesToLater("slave"), true);
  assertEquals(await writesToLater("private"), false);
}, notRoot);

/** A chroot to a directory, and the same filesystem again in it, from above. */
const CHROOT: readonly Step[] = [
  unshare("user", "mount", "pid", "net", "ipc", "uts", "cgroup"),
  mapRoot(),
  tmpfs("/mnt"),
  mkdir("/mnt/a/up"),
  mkdir("/mnt/a/sub"),
  ...["/usr", "/bin", "/lib", "/lib64"].map((path) =>
    bind(path, `/mnt/a${path}`, { readOnly: true, optional: true })
  ),
  bind("/mnt", "/mnt/a/up"),
  init(),
  newSession(),
  unshare("user"),
  mapRoot(),
  chroot("/mnt/a"),
  capabilities({ keep: [] }),
  seccomp(),
];

test("a directory that is moved out of the chroot in which it lies", () => {
  const leave =
    "cd /sub && mv /up/a/sub /up/sub && cd -P .. && cd -P .. && cd -P .. && test -e etc";
  const box = recipe(...CHROOT);
  const run = (permissions?: Permissions) =>
    box.command("/bin/sh", { args: ["-c", leave], ...(permissions && { permissions }) })
      .outputSync();
  assertEquals(run().code, 0);
  const read = READ.filter((path) => path !== "/dev");
  assertThrows(() => run({ read }), PermissionError, "not granted: read /");
});
