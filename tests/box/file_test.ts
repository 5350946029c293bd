/** The file of a box: what it is made of, and what is not in it. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type BoxOptions, buildBox, readBoxNote } from "../../box/mod.ts";
import { compileBox } from "../../box/compile_box.ts";
import { pack } from "../../box/pack.ts";
import { REFUSALS } from "../../box/texts.ts";
import { openat } from "../../ffi/calls/files.ts";
import { O_CLOEXEC, O_DIRECT, O_DIRECTORY, O_NOFOLLOW } from "../../ffi/calls/constants/open.ts";
import { argumentOffset, assemble } from "../../ffi/engine/program.ts";
import {
  clearEnv,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  setEnv,
  writeFile,
} from "../../mod.ts";
import { VERSION } from "../../recipe/version.ts";
import { startModule } from "../../scripts/assemble.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { BoxFile, README } from "./support.ts";

const ARCHITECTURES = ["x86_64", "aarch64"] as const;

function output(program: string, ...args: string[]): string {
  const { code, stdout, stderr } = new Deno.Command(program, { args }).outputSync();
  assertEquals([code, decode(stderr)], [0, ""], `${program} ${args}`);
  return decode(stdout);
}

/** Why a test with binutils is skipped. */
const noTools = missing("readelf") ?? missing("objdump") ?? missing("strip") ?? missing("file");

function missing(tool: string): string | undefined {
  try {
    new Deno.Command(tool, { args: ["--version"], stdout: "null" }).outputSync();
    return undefined;
  } catch {
    return `no ${tool} here`;
  }
}

test("a box is as small as it is said to be", () => {
  assert(buildBox(README, { architecture: "x86_64" }).length <= 6 * 1024);
  assert(buildBox(README, { architecture: "aarch64" }).length <= 6.5 * 1024);
  for (const architecture of ARCHITECTURES) {
    assert(buildBox(sandbox(), { architecture }).length <= 48 * 1024);
  }
});

test("the same recipe gives the same bytes", () => {
  for (const architecture of ARCHITECTURES) {
    const [one, other] = [0, 1].map(() => buildBox(sandbox(), { architecture }));
    assertEquals(one, other);
  }
});

test("the tools of the ELF format read a box, and strip leaves it whole", () => {
  for (const architecture of ARCHITECTURES) {
    using box = new BoxFile(README, { architecture, program: ["hostname"] });
    const headers = output("readelf", "-aW", box.path);
    const segments = [...headers.matchAll(/^ +(LOAD|GNU_STACK) .* (R?W?[ ]?E?) +0x/gm)];
    assertEquals(segments.map(([, type]) => type), ["LOAD", "LOAD", "GNU_STACK"]);
    for (const [line, , flags] of segments) {
      assert(!(flags!.includes("W") && flags!.includes("E")), line);
    }
    output("file", box.path);
    if (architecture !== Deno.build.arch) continue;
    output("objdump", "-d", box.path);
    output("strip", box.path);
    assertEquals(output(box.path), "a-cooler-hostname\n");
  }
}, noTools);

test("the note tells the recipe, the program and the target", () => {
  const file = buildBox(README, { architecture: "aarch64", for: "root", program: ["id", "-u"] });
  assertEquals(readBoxNote(file), {
    recipe: { steps: README.steps },
    program: ["id", "-u"],
    architecture: "aarch64",
    for: "root",
    version: VERSION,
  });
  assertEquals(readBoxNote(Deno.readFileSync("/proc/self/exe")), undefined);
  for (const length of [0, 3, 64, 200, 300, 400]) {
    assertEquals(readBoxNote(file.slice(0, length)), undefined);
  }
});

test("a variable that is kept is in the box by its name, not its value", async () => {
  Deno.env.set("BOX_SECRET", "hunter2hunter2");
  try {
    for (
      const container of [recipe(clearEnv({ keep: ["BOX_SECRET"] })), sandbox({ env: ["BOX_*"] })]
    ) {
      using box = new BoxFile(container, { program: ["/bin/sh", "-c", "echo $BOX_SECRET"] });
      const text = new TextDecoder("latin1").decode(Deno.readFileSync(box.path));
      assert(!text.includes("hunter2"));
      assertEquals((await box.run([], { env: { BOX_SECRET: "told" } })).stdout, "told\n");
    }
  } finally {
    Deno.env.delete("BOX_SECRET");
  }
});

test("words that execve cannot pass on are refused", () => {
  for (const program of [["a\0b"], [""]]) {
    assertThrows(() => buildBox(README, { program }), TypeError, "program");
  }
  const error = assertThrows(() => buildBox({ steps: [{ step: "hostname" } as never] }));
  assertInstanceOf(error, RecipeError);
});

test("an option that is none, or has a wrong value, is a TypeError that names it", () => {
  const refused = (says: string, options: unknown, container: unknown = README) => {
    const error = assertThrows(() => buildBox(container as Recipe, options as BoxOptions));
    assert(error instanceof TypeError, String(error));
    assertStringIncludes(error.message, says);
  };
  refused('option "arch" is unknown; the fields are program, architecture, for', {
    arch: "arm64",
  });
  refused('option "architectur" is unknown; did you mean "architecture"?', { architectur: "x" });
  refused('option "architecture" "arm64" is none of "x86_64", "aarch64"', {
    architecture: "arm64",
  });
  refused('option "for" "me" is none of "root", "user"', { for: "me" });
  refused('option "for" should be one of', { for: null });
  refused('option "cwd" "callers" is none of "root", "caller"; did you mean "caller"?', {
    cwd: "callers",
  });
  refused('option "program" should be a list', { program: "id" });
  refused('option "program" number 2: should be a string', { program: ["id", 1] });
  refused("options should be an object, not a list", ["id"]);
  refused("options should be an object, not null", null);
  refused('takes a recipe first: recipe(...steps), not "kitchen"', {}, "kitchen");
  refused("takes a recipe first: recipe(...steps), not a list", {}, README.steps);
});

test("a box with a large file in it runs", async () => {
  const text = "0123456789abcdef".repeat(20_000);
  const container = recipe(
    ...sandbox().steps.slice(0, 1),
    { step: "mapRoot" },
    { step: "tmpfs", target: "/mnt" },
    writeFile("/mnt/large", text),
    setEnv({ LONG: "x".repeat(100_000) }),
  );
  using box = new BoxFile(container, { program: ["sh", "-c"] });
  const { stdout, stderr } = await box.run(["wc -c /mnt/large; echo ${#LONG}"]);
  assertEquals([stdout, stderr], ["320000 /mnt/large\n100000\n", ""]);
});

test("the flags of open files are those of the target", () => {
  const [x86, arm] = ARCHITECTURES.map((architecture) => {
    const call = openat(-100 as never, "/", O_CLOEXEC | O_DIRECT | O_DIRECTORY | O_NOFOLLOW);
    const { bytes } = assemble([{ call }], architecture);
    return new DataView(bytes.buffer).getInt32(argumentOffset(0, 2), true);
  });
  // asm-generic/fcntl.h, and arch/arm64/include/uapi/asm/fcntl.h.
  assertEquals(x86, 0o2000000 | 0o40000 | 0o200000 | 0o400000);
  assertEquals(arm, 0o2000000 | 0o200000 | 0o40000 | 0o100000);
  const tables = ARCHITECTURES.map((architecture) =>
    compileBox(README.steps, { architecture, user: "user", keepsDirectory: false }).program
  );
  assert(tables[0]!.calls.length === tables[1]!.calls.length);
});

test("packed bytes are what was packed", () => {
  const random = (size: number, values: number) =>
    Uint8Array.from({ length: size }, () => Math.floor(Math.random() * values));
  const samples = [
    new Uint8Array(),
    Uint8Array.of(1),
    new Uint8Array(5000),
    random(20, 256),
    random(3000, 2),
    random(3000, 256),
    new Uint8Array([...random(100, 3), ...new Uint8Array(100_000), ...random(100, 3)]),
  ];
  for (const sample of samples) assertEquals(unpack(pack(sample)), sample);
});

/** Unpacks as the code of a box does. */
function unpack(packed: Uint8Array): Uint8Array {
  const size = new DataView(packed.buffer).getUint32(0, true);
  const bytes: number[] = [];
  let at = 4;
  const length = (short: number) => {
    if (short < 15) return short;
    let [whole, more] = [short, 255];
    while (more === 255) whole += more = packed[at++]!;
    return whole;
  };
  while (bytes.length < size) {
    const token = packed[at++]!;
    for (let left = length(token >> 4); left > 0; left--) bytes.push(packed[at++]!);
    if (bytes.length >= size) break;
    const near = packed[at++]!;
    const distance = near < 128 ? near : near & 127 | packed[at++]! << 7;
    for (let left = length(token & 15) + 3; left > 0; left--) {
      bytes.push(bytes[bytes.length - distance]!);
    }
  }
  return Uint8Array.from(bytes);
}

test("the code of boxes is that of the sources, and has the numbers of the refusals", () => {
  const kept = Deno.readTextFileSync(new URL("../../box/bytes.ts", import.meta.url));
  const bytesOf = (text: string) => text.replace(/[\s"+,:]|\\n/g, "");
  assertEquals(bytesOf(startModule()), bytesOf(kept));
  for (const architecture of ARCHITECTURES) {
    assertEquals(
      sourceOf(architecture).match(/\.set REFUSALS, (\d+)/)![1],
      String(REFUSALS.length),
    );
  }
}, missing("as") ?? missing("aarch64-linux-gnu-as"));

test("the code for both architectures reads each parameter", () => {
  for (const architecture of ARCHITECTURES) {
    const start = sourceOf(architecture);
    const code = (start + sourceOf(architecture, "streams")).replace(/^ *\.set .*/gm, "");
    const names = [...start.matchAll(/\.set (P_\w+),/g)].map(([, name]) => name!);
    assert(names.includes("P_PIDS"));
    assertEquals(names.filter((name) => !RegExp(`\\b${name}\\b`).test(code)), [], architecture);
  }
});

/** The assembler source of a part of a box's code. */
function sourceOf(architecture: string, part: "start" | "streams" = "start"): string {
  return Deno.readTextFileSync(new URL(`../../box/${part}_${architecture}.S`, import.meta.url));
}
