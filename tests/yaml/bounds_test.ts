/** Texts of untrusted authors that are short and would take long: each is refused, or is done. */

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { recipe, RecipeError, seccomp, type SetEnvStep, type Step } from "../../mod.ts";
import { loadRecipe, parseRecipe, stringifyRecipe } from "../../yaml/mod.ts";
import { rounds } from "../rounds.ts";
import { inDirectory, test } from "../support.ts";

const HEAD = "steps:\n- { step: unshare, kinds: [user, mount] }\n- step: mapRoot\n";
const times = (count: number, text: string) => text.repeat(count);

/** Returns the message of the error of a text, or of its plan. */
function issue(text: string): string {
  return assertThrows(() => parseRecipe(text).plan(), RecipeError).message;
}

/** Texts, and where and why each is refused. */
const REFUSED: Readonly<Record<string, readonly [text: string, says: RegExp]>> = {
  "aliases of a long list": [
    `${HEAD}- &s { step: maskPaths, paths: [${times(2000, "/x,")}] }\n${times(900, "- *s\n")}`,
    /^line 53, column 4: a recipe has at most 100000 values/,
  ],
  "aliases of a rule in a list": [
    "steps:\n- step: seccomp\n  profile: { defaultAction: SCMP_ACT_ALLOW, syscalls: [" +
    `&r { names: [${times(10_000, "a,")}], action: SCMP_ACT_ERRNO }${times(9999, ", *r")}] }\n`,
    /^line 2, column 3: a recipe has at most 100000 values/,
  ],
  "aliases of a long string": [
    `steps:\n- { step: maskPaths, paths: [&x /${times(500_000, "y")}${times(90_000, ",*x")}] }\n`,
    /^line 2, column 3: the strings of a recipe have at most 16777216 letters/,
  ],
  "a long variable, often": [
    `variables: { x: ${times(500_000, "y")} }\nsteps:\n- step: setEnv\n  variables:\n` +
    `    A: ${times(50_000, "${x}")}\n`,
    /^line 5, column 8: with its variables the text has more than 16777216 letters/,
  ],
  "long variables in many values": [
    `variables: { x: ${times(300_000, "y")} }\nsteps:\n- step: maskPaths\n  paths: [` +
    `${times(30_000, '"${x}${x}${x}",')}]\n`,
    /^line 3, column 3: .*the strings of a recipe have at most 16777216 letters/,
  ],
  "a list in itself": ["steps: &a [*a]\n", /^line 1, column 13: by an alias the value contains/],
  "a step in itself": [
    "steps:\n- &a { step: setEnv, variables: *a }\n",
    /^line 2, column 34: by an alias the value contains itself/,
  ],
  "lists in lists, by aliases": [
    "steps:\n- { step: mapRoot }\n- &l0 [x]\n" +
    Array.from({ length: 500 }, (_, i) => `- &l${i + 1} [*l${i}]\n`).join(""),
    /at most 16 in each other/,
  ],
  "a megabyte": [`steps: [] #${times(1 << 20, " ")}`, /^line 1, .*at most 1048576 bytes/],
  "many steps": [`steps:\n${times(50_000, "- {step: mapRoot}\n")}`, /at most 1000 steps/],
  "many values": [`steps: [${times(330_000, "{},")}]`, /at most 100000 values/],
  "a name of a megabyte": [
    `steps: [{ step: ${times(1_000_000, "x")} }]`,
    /there is no step "x{60}/,
  ],
  "a field of a megabyte": [
    `steps: [{ step: hostname, ? ${times(1_000_000, "x")} : 1 }]`,
    /step 1 \(hostname\), "x{60}\.\.\.": is unknown/,
  ],
  "a variable of a megabyte": [
    `steps: [{ step: hostname, name: "\${${times(1_000_000, "x")}}" }]`,
    /the variable "x{60}/,
  ],
  "an object in place of a number": [
    "steps: [{ step: limits, memory: { toString: 1, valueOf: 2 } }]",
    /^line 1, column 33: step 1 \(limits\), "memory": should be a number of bytes/,
  ],
  "an object in lists": [
    "steps: [{ step: limits, memory: [[{ toString: 1, valueOf: 2 }]] }]",
    /^line 1, column 33: step 1 \(limits\), "memory": should be a number of bytes/,
  ],
  "more calls than a plan has": [
    `${HEAD}- &s { step: maskPaths, paths: [${times(100, "/x,")}] }\n${times(900, "- *s\n")}`,
    /step \d+ \(maskPaths\): a plan has at most 100000 calls/,
  ],
  "directories in directories": [
    `${HEAD}- { step: tmpfs, target: /t }\n` +
    Array.from({ length: 200 }, (_, i) => `- { step: mkdir, path: /t/${i}${times(2000, "/a")} }\n`)
      .join(""),
    /step \d+ \(mkdir\): the paths of a plan have at most 4194304 letters/,
  ],
  "a rule with many alternatives": [
    "steps:\n- step: seccomp\n  profile: { defaultAction: SCMP_ACT_ALLOW, syscalls: [{ " +
    `names: [${times(5000, "read,write,")}], action: SCMP_ACT_ERRNO, ` +
    `args: [${times(9000, "{ index: 0, value: 1, op: SCMP_CMP_EQ },")}] }] }\n`,
    /the profile is too long/,
  ],
};

for (const [name, [text, says]] of Object.entries(REFUSED)) {
  test(`${name} is refused with its place`, () => {
    const message = issue(text);
    assert(says.test(message), message.slice(0, 500));
    assert(message.length < 2000, `a message of ${message.length} letters`);
  });
}

test("what is long and honest is planned", () => {
  const { steps } = parseRecipe(
    `steps: [{ step: setEnv, variables: { A: "${times(200_000, "$")}" } }]`,
  );
  assertEquals((steps[0] as SetEnvStep).variables["A"]!.length, 200_000);
  const masks =
    `${HEAD}- &s { step: maskPaths, paths: [/a, /b, /c, /d, /e, /f, /g, /h, /i, /j] }\n`;
  assert(parseRecipe(masks + times(300, "- *s\n")).plan().entries.length > 1000);
  const roots = `${HEAD}- { step: tmpfs, target: /a }\n- { step: maskPaths, paths: [` +
    Array.from({ length: 400 }, (_, i) => `${times(1000, "/a")}/${i}${times(20, "/b")}`) +
    `] }\n${times(900, "- { step: chroot, path: /a }\n")}`;
  assert(parseRecipe(roots).plan().entries.length > 900);
  // None of these directories is there, and /proc/self is a link.
  const missing = HEAD + Array.from(
    { length: 200 },
    (_, i) => `- { step: maskPaths, paths: [/proc/self/${i}${times(2000, "/a")}] }\n`,
  ).join("");
  assert(parseRecipe(missing).plan().entries.length > 200);
  const many = Array.from(
    { length: 900 },
    (_, i) => `- { step: tmpfs, target: ${times(i, "/a")}/a }\n`,
  );
  assert(parseRecipe(HEAD + many.join("")).plan().entries.length > 900);
});

test("references are found in any number of dollars, also without an end", () => {
  const variables = { a: "1", b: 2 };
  const of = (name: string) => {
    const text = JSON.stringify({ variables, steps: [{ step: "setEnv", variables: { A: name } }] });
    return (parseRecipe(text).steps[0] as SetEnvStep).variables["A"];
  };
  assertEquals(of("x${a}${b}y"), "x12y");
  assertEquals(of("$${a}$$${a}$"), "${a}$${a}$");
  assertEquals(of("$x$${b}${a}{${"), "$x${b}1{${");
  assertEquals(of("${a"), "${a");
  assertEquals(of("${}"[0]! + "{a}$${}"), "1${}");
  for (const text of ["${a}", "$$${a}$${", "${${a}}", "$", "a${b}$${c}$"]) {
    const box = recipe({ step: "setEnv", variables: { A: text } });
    const written = `${stringifyRecipe(box)}variables: ${JSON.stringify(variables)}\n`;
    assertEquals(parseRecipe(written).steps, box.steps);
  }
});

test("data of TypeScript has the same bounds", () => {
  const refused = (make: () => unknown) => assertThrows(make, RecipeError).message;
  const rule = { names: Array(10_000).fill("read"), action: "SCMP_ACT_ALLOW" } as const;
  const profile = { defaultAction: "SCMP_ACT_ERRNO", syscalls: Array(10_000).fill(rule) } as const;
  assert(refused(() => recipe(seccomp(profile))).includes("at most 100000 values"));
  const setEnv: Record<string, unknown> = { step: "setEnv" };
  setEnv["variables"] = setEnv;
  assert(refused(() => recipe(setEnv as unknown as Step)).includes('"variables"'));
  const list: unknown[] = [];
  list.push(list);
  refused(() => recipe({ step: "maskPaths", paths: list } as unknown as Step));
  refused(() => recipe({ step: "maskPaths", paths: Array(2 ** 31) }));
  let deep: unknown = "x";
  for (let level = 0; level < 100_000; level++) deep = [deep];
  refused(() => recipe({ step: "maskPaths", paths: deep } as unknown as Step));
  assert(
    refused(() => recipe(...Array(10_001).fill({ step: "mapRoot" }))).includes(
      "at most 10000 steps",
    ),
  );
  // The steps of recipes within it count too.
  const half = recipe({ step: "maskPaths", paths: Array(60_000).fill("/x") });
  assert(refused(() => recipe(half, half)).startsWith("step 2 makes the recipe too large"));
});

/** Writes files that include each other. */
function write(directory: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${directory}/${name}.yaml`, text);
  }
  return `${directory}/0.yaml`;
}

test(
  "files that include the next twice are refused after a hundred",
  inDirectory((directory) => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [
        i,
        `steps: [{ include: ${i + 1}.yaml }, { include: ${i + 1}.yaml }]`,
      ]),
    );
    const file = write(directory, { ...files, 12: "steps: []" });
    const { message } = assertThrows(() => loadRecipe(file), RecipeError);
    assert(/\.yaml:1:\d+: a recipe includes at most 100 files$/.test(message), message);
  }),
);

test(
  "a chain of includes is refused at its twentieth file",
  inDirectory((directory) => {
    const chain = (length: number) =>
      write(
        directory,
        Object.fromEntries(Array.from({ length: length + 1 }, (_, i) => [
          i,
          i === length ? "steps: [{ step: mapRoot }]" : `steps: [{ include: ${i + 1}.yaml }]`,
        ])),
      );
    assertEquals(loadRecipe(chain(20)).steps.length, 1);
    const { message } = assertThrows(() => loadRecipe(chain(3000)), RecipeError);
    assert(message.endsWith("20.yaml:1:20: files include each other at most 20 deep"), message);
  }),
);

test(
  "the texts of all includes have a bound together",
  inDirectory((directory) => {
    const long = `steps: [] #${times(400_000, " ")}`;
    const twice = "steps: [{ include: 1.yaml }, { include: 1.yaml }]";
    assertEquals(loadRecipe(write(directory, { 0: twice, 1: long })).steps, []);
    const file = write(directory, { 0: `${twice.slice(0, -1)}, { include: 1.yaml }]` });
    const { message } = assertThrows(() => loadRecipe(file), RecipeError);
    assert(message.includes("1048576 bytes, with all that it includes"), message);
  }),
);

test("texts with any bytes changed make a recipe or a RecipeError", () => {
  const base = `variables: { name: box, size: null }
steps:
  - { step: unshare, kinds: [user, mount, pid, uts, ipc, net] }
  - &t { step: tmpfs, target: /tmp, size: "10m" }
  - { step: bind, source: /usr, target: /tmp/usr, readOnly: true }
  - *t
  - { step: hostname, name: "\${name}" }
  - { step: seccomp, profile: { defaultAction: SCMP_ACT_ALLOW, syscalls: [ { names: [read],
      action: SCMP_ACT_ERRNO, args: [ { index: 0, value: "0xff", op: SCMP_CMP_EQ } ] } ] } }
  - { step: setEnv, variables: { A: "x", __proto__: y } }
`;
  const pieces = ["&a ", "*a ", "*t", "<<: ", "? ", ": ", "- ", "{", "}", "[", "]", '"', "'", "|\n"]
    .concat([">\n", "#", "---\n", "...\n", "%YAML 1.2\n", "!!str ", "!!binary ", "\t", "\0"])
    .concat(["\u2028", "\ud800", "\ufeff", "${", "}", "$${", "__proto__", "constructor", ".nan"])
    .concat(["-.inf", "1e999", "0o777", "~", "null", "\x1b[2J", "\n", "&t ", "steps: *t\n"]);
  let state = 5;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  for (let round = 0; round < rounds(2000); round++) {
    let text = base;
    for (let edits = random(6); edits >= 0; edits--) {
      const [at, kind] = [random(text.length), random(10)];
      const [before, after] = [text.slice(0, at), text.slice(at)];
      text = kind < 5
        ? before + pieces[random(pieces.length)] + after
        : kind < 8
        ? before + text.slice(at + 1 + random(20))
        : before + text.slice(random(text.length), random(text.length)) + after;
    }
    try {
      parseRecipe(text, { variables: { size: "1m" } });
    } catch (error) {
      assertInstanceOf(error, RecipeError, JSON.stringify(text));
    }
  }
});
