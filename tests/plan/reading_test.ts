/** What planning opens and reads of the files that an untrusted recipe names. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  join,
  linux,
  mapRoot,
  PermissionError,
  pivotRoot,
  programs,
  type Recipe,
  recipe,
  RecipeError,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { loadRecipe } from "../../yaml/mod.ts";
import { claim } from "../leftovers.ts";
import { decode, until } from "../other_scripts.ts";
import { RUN } from "../ramekin/support.ts";
import { rounds } from "../rounds.ts";
import { inDirectory, test } from "../support.ts";

const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
const withProgram = (path: string) => box.with(programs(path), pivotRoot("/mnt"));

/** A directory for an asynchronous test. */
async function inTemporary(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Recipes that name a file, in each way in which planning looks into one. */
const NAMING: Readonly<Record<string, (path: string, directory: string) => unknown>> = {
  "join()": (path) => recipe(join(path)).plan(),
  "programs()": (path) => withProgram(path).plan(),
  "the recipe itself": (path) => loadRecipe(path),
  "an include": (path, directory) => {
    const file = `${directory}/box.yaml`;
    Deno.writeTextFileSync(file, `steps: [{ include: ${JSON.stringify(path)} }]`);
    loadRecipe(file);
  },
};

for (const [name, plan] of Object.entries(NAMING)) {
  test(`a pipe that ${name} names is not opened: who waits at it goes on waiting`, () =>
    inTemporary(async (directory) => {
      const pipe = `${directory}/pipe`;
      linux.mknodat(linux.AT_FDCWD, pipe, linux.S_IFIFO | 0o600);
      const writer = new Deno.Command("perl", {
        args: ["-e", 'open F, ">", $ARGV[0]; print F "for somebody else"', pipe],
        stdin: "null",
      }).spawn();
      claim(writer.pid);
      const state = () => Deno.readTextFileSync(`/proc/${writer.pid}/stat`).split(") ")[1]![0];
      const isPerl = () => Deno.readTextFileSync(`/proc/${writer.pid}/comm`) === "perl\n";
      await until(() => isPerl() && state() === "S");
      assertThrows(() => plan(pipe, directory), RecipeError);
      // Without a reader before this one, what is written comes here.
      using reader = linux.open(pipe, linux.O_RDONLY | linux.O_NONBLOCK | linux.O_CLOEXEC);
      await writer.status;
      const written = new Uint8Array(100);
      const count = linux.read(reader, written);
      assertEquals(decode(written.subarray(0, count)), "for somebody else");
    }));

  test(
    `a device, a socket and a directory that ${name} names are refused`,
    inDirectory((directory) => {
      const socket = Deno.listen({ transport: "unix", path: `${directory}/socket` });
      for (const path of ["/dev/full", "/dev/zero", `${directory}/socket`, directory]) {
        Deno.symlinkSync(path, `${directory}/link`);
        for (const named of [path, `${directory}/link`]) {
          assertThrows(() => plan(named, directory), RecipeError);
        }
        Deno.removeSync(`${directory}/link`);
      }
      socket.close();
    }),
  );
}

test(
  "of a device and a pipe, ramekin plan opens the path alone",
  () =>
    inTemporary(async (directory) => {
      linux.mknodat(linux.AT_FDCWD, `${directory}/pipe`, linux.S_IFIFO | 0o600);
      const file = `${directory}/box.yaml`;
      for (const path of ["/dev/full", `${directory}/pipe`]) {
        for (
          const step of [
            `{ step: join, target: ${path} }`,
            `{ step: programs, programs: [${path}], root: /mnt }`,
            `{ step: bind, source: ${path}, target: /mnt/x }`,
            `{ step: overlay, target: /mnt, lower: [${path}], discard: true }`,
            `{ step: landlock, read: [${path}] }`,
            `{ step: limits, io: [{ device: ${path}, readBps: 1 }] }`,
            `{ step: userNetwork }, { step: chdir, path: ${path} }`,
          ]
        ) {
          Deno.writeTextFileSync(
            file,
            "steps: [{ step: unshare, kinds: [user, mount, net] }, { step: mapRoot }, " +
              `{ step: tmpfs, target: /mnt }, ${step}]`,
          );
          const trace = `${directory}/trace`;
          const { code } = await new Deno.Command("strace", {
            args: ["-f", "-o", trace, "-e", "trace=open,openat,openat2", ...RUN, "plan", file],
            stdin: "null",
            stdout: "null",
            stderr: "null",
          }).output();
          assert(code === 0 || code === 1, `exit status ${code}`);
          const opened = Deno.readTextFileSync(trace).split("\n")
            .filter((line) => line.includes(`"${path}"`) && !line.includes("O_PATH"));
          assertEquals(opened, [], step);
        }
      }
    }),
  whyNoTrace(),
);

function whyNoTrace(): string | undefined {
  try {
    const { success } = new Deno.Command("strace", { args: ["-o", "/dev/null", "true"] })
      .outputSync();
    return success ? undefined : "needs strace(1), which may trace here";
  } catch {
    return "needs strace(1)";
  }
}

/** The error of a command with these permissions to read. */
function refusal(made: Recipe, read: readonly string[]): PermissionError {
  const make = () => made.command("true", { permissions: { read, run: true } });
  return assertThrows(make, PermissionError);
}

test(
  "programs() reads nothing before it is granted, and then only that",
  inDirectory((directory) => {
    const [secret, link] = [`${directory}/secret`, `${directory}/link`];
    Deno.writeTextFileSync(secret, "#!the-secret-word\n");
    Deno.symlinkSync(secret, link);
    for (const path of [secret, link]) {
      const error = refusal(withProgram(path), ["/usr"]);
      assertEquals([error.grant, error.value, error.step], ["read", secret, "programs"]);
      assert(!error.message.includes("secret-word"), error.message);
      // What it is tells no more than that, also where no permissions are given at all.
      refusal(withProgram(path), []);
      // Granted, or planned by a script of one's own, it may be told.
      const told = assertThrows(
        () => withProgram(path).command("true", { permissions: { read: [secret] } }),
        RecipeError,
      );
      assertStringIncludes(told.message, "the-secret-word");
    }
    // A library is a file as well, which the recipe has not named.
    assertEquals(refusal(withProgram("/bin/sh"), [Deno.realPathSync("/bin/sh")]).grant, "read");
    const needs = withProgram("/bin/sh").needs();
    const read = needs.flatMap((need) => need.kind === "read" ? [need.path] : []);
    withProgram("/bin/sh").command("true", { permissions: { read, run: true } });
  }),
);

test("join() looks into no process before it is granted", () => {
  const joined = recipe(join(Deno.pid, "uts", { environment: true }));
  const make = () => joined.command("true", { permissions: { read: true, write: true } });
  assertEquals(assertThrows(make, PermissionError).step, "join");
});

test("a file that has nothing in it is not opened, as most of /proc", () => {
  const { message } = assertThrows(() => withProgram("/proc/kmsg").plan(), RecipeError);
  assertStringIncludes(message, "/proc/kmsg is neither a program");
});

test("an included file is the one that was checked, whoever swaps it", () =>
  inTemporary(async (directory) => {
    Deno.mkdirSync(`${directory}/private`);
    Deno.writeTextFileSync(`${directory}/private/secret`, "the-secret-word: 1\n");
    Deno.mkdirSync(`${directory}/r`);
    const file = `${directory}/r/box.yaml`;
    Deno.writeTextFileSync(file, "steps: [{ include: inc.yaml }]");
    Deno.writeTextFileSync(`${directory}/r/inc.yaml`, "steps: []");
    const swapping = `my ($to, $at) = @ARGV; while (1) {
      symlink($to, "$at.new"); rename("$at.new", $at);
      open(F, ">", "$at.new"); print F "steps: []"; close F; rename("$at.new", $at);
    }`;
    const swapper = new Deno.Command("perl", {
      args: ["-e", swapping, `${directory}/private/secret`, `${directory}/r/inc.yaml`],
      stdin: "null",
    }).spawn();
    claim(swapper.pid);
    const seen = { read: 0, refused: 0 };
    try {
      // On a busy machine the other process may not run for a while.
      const isOneSided = () => seen.read === 0 || seen.refused === 0;
      for (let round = 0; round < rounds(1000) || (isOneSided() && round < 100_000); round++) {
        try {
          loadRecipe(file);
          seen.read++;
        } catch (error) {
          assert(error instanceof RecipeError, String(error));
          assertStringIncludes(error.message, "outside of the recipe's directory");
          seen.refused++;
        }
      }
    } finally {
      swapper.kill("SIGKILL");
      await swapper.status;
    }
    assert(seen.read > 0 && seen.refused > 0, JSON.stringify(seen));
  }));

test(
  "a recipe that is a link tells no words of a file that is no recipe",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/theirs`);
    Deno.mkdirSync(`${directory}/own`);
    Deno.writeTextFileSync(`${directory}/own/shadow`, "root:*:20228:0:99999:7::\n");
    Deno.writeTextFileSync(`${directory}/own/box.yaml`, "steps: [{ step: mapRoot }]");
    Deno.writeTextFileSync(`${directory}/theirs/plain`, "steps: [{ step: mapRoot }]");
    const led = (to: string) => {
      Deno.symlinkSync(to, `${directory}/theirs/link.yaml`);
      try {
        return loadRecipe(`${directory}/theirs/link.yaml`).steps.length;
      } finally {
        Deno.removeSync(`${directory}/theirs/link.yaml`);
      }
    };
    const { message } = assertThrows(() => led("../own/shadow"), RecipeError);
    assert(!message.includes("20228"), message);
    assertStringIncludes(message, `is a link to ${directory}/own/shadow`);
    assertEquals([led("../own/box.yaml"), led("plain")], [1, 1]);
  }),
);

test("a recipe can come by a pipe that the user names", async () => {
  const text = "steps: [{ step: unshare, kinds: [user, uts] }, { step: mapRoot }]";
  for (const name of ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"]) {
    const [program, ...args] = [...RUN, "plan", name];
    const process = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    claim(process.pid);
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { code, stdout, stderr } = await process.output();
    assertEquals([code, decode(stderr)], [0, ""]);
    assertStringIncludes(decode(stdout), "mapRoot");
  }
});
