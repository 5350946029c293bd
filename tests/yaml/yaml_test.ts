/** Recipes as texts, and the errors of invalid ones. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  hostname,
  mapRoot,
  PermissionError,
  recipe,
  RecipeError,
  type Step,
  SyscallError,
  tmpfs,
  unshare,
  UnsupportedError,
} from "../../mod.ts";
import { readRecipe } from "../../yaml/read.ts";
import { loadRecipe, loadRecipeText, parseRecipe, stringifyRecipe } from "../../yaml/mod.ts";
import { inDirectory, test } from "../support.ts";
import { rounds } from "../rounds.ts";

const TEXT = `
# A box.
variables: { name: box, size: 10m, bits: 0o700 }
steps:
  - step: unshare
    kinds: [user, mount, uts]
  - step: mapRoot
  - { step: tmpfs, target: /tmp, size: "\${size}", mode: "\${bits}" }
  - step: hostname
    name: a-\${name}
`;

/** Returns the message of the error of a text. */
function issue(text: string): string {
  return assertThrows(() => parseRecipe(text), RecipeError).message;
}

test("a YAML text makes the same recipe as the builders", () => {
  const box = recipe(
    unshare("user", "mount", "uts"),
    mapRoot(),
    tmpfs("/tmp", { size: "10m", mode: 0o700 }),
    hostname("a-box"),
  );
  assertEquals(parseRecipe(TEXT).toJSON(), box.toJSON());
});

test("a JSON text is a YAML text too", () => {
  const box = recipe(unshare("uts"), hostname("box"));
  assertEquals(parseRecipe(JSON.stringify(box)).steps, box.steps);
});

test("a written recipe is read as the same", () => {
  const strings = [
    "null",
    "true",
    "0x1f",
    "1e3",
    "a: b",
    "- a",
    "#",
    "'",
    '"',
    " x ",
    "",
    "é\u2028😀",
  ]
    .concat([
      "a\nb\n",
      "\ttab",
      "${x}",
      "$${x}",
      "${",
      "${${x}}",
      "&a",
      "*a",
      "!t",
      "2026-11-24",
      "~",
    ]);
  for (const string of strings) {
    const box = recipe({ step: "setEnv", variables: { A: string } });
    assertEquals(parseRecipe(stringifyRecipe(box)).steps, box.steps, stringifyRecipe(box));
  }
  const box = parseRecipe(TEXT);
  assertEquals(parseRecipe(stringifyRecipe(box)).steps, box.steps);
});

test("modes are written in octal", () => {
  const box = recipe(
    { step: "umask", mask: 0o27 },
    { step: "tmpfs", target: "/tmp", mode: 0o1777 },
    { step: "mkdir", path: "/tmp/x", mode: 0 },
  );
  const text = stringifyRecipe(box);
  assertEquals(text.match(/(mask|mode): .*/g), ["mask: '027'", "mode: '01777'", "mode: '00'"]);
  assertEquals(parseRecipe(text).steps, box.steps);
});

test("a variable takes a given value and keeps its type, and can be written as such", () => {
  const { steps } = parseRecipe(TEXT, { variables: { name: "pan", bits: 0o755 } });
  assertEquals(steps[2], { step: "tmpfs", target: "/tmp", size: "10m", mode: 0o755 });
  assertEquals(steps[3], { step: "hostname", name: "a-pan" });
  const literal = "steps: [{ step: hostname, name: '$${name}' }]";
  assertEquals(parseRecipe(literal).steps, [{ step: "hostname", name: "${name}" } as Step]);
});

test("an error has the line and column, and the nearest word", () => {
  const cases: [text: string, says: string][] = [
    [
      "steps:\n  - step: hostname\n    nam: x\n",
      'line 3, column 10: step 1 (hostname), "nam": is unknown; did you mean "name"?',
    ],
    ["steps:\n  - step: hostname\n", 'line 2, column 5: step 1 (hostname), "name": is missing'],
    ["steps:\n  - { step: hostname, name: 5 }\n", 'line 2, column 29: step 1 (hostname), "name"'],
    [
      "steps:\n  - step: mapRoot\n  - step: hostnam\n",
      'line 3, column 5: step 2 is unknown: there is no step "hostnam"; did you mean "hostname"?',
    ],
    [
      "steps:\n- step: tmpfs\n  target: /tmp\n  sise: 1m\n",
      'line 4, column 9: step 1 (tmpfs), "sise": is unknown; did you mean "size"?',
    ],
    ["steps:\n- step: unshare\n  kinds: [user, mnt]\n", '"mnt" is none of'],
    ["stepz: []\n", 'line 1, column 8: there is no key "stepz"'],
    ["steps: hostname\n", 'line 1, column 8: "steps" should be a list'],
    ["- step: mapRoot\n", "a recipe should be a mapping"],
    ["", "a recipe should be a mapping"],
    ["steps:\n  - a: [1\n", "invalid YAML"],
    ["steps: []\n---\nsteps: []\n", "one document"],
    ["steps:\n- hostname\n", "line 2, column 3: step 1 is not a step"],
    [
      'variables: { a: 1 }\nsteps:\n- { step: hostname, name: "${b}" }\n',
      'line 3, column 28: the variable "b" has no value; did you mean "a"?',
    ],
    [
      'variables: { a: null }\nsteps:\n- { step: hostname, name: "${a}" }\n',
      'the variable "a" has no value',
    ],
    ["variables: { a: [] }\nsteps: []\n", "line 1, column 17: the default"],
    [
      "steps:\n- include: other.yaml\n",
      "line 2, column 12: a text can include no files",
    ],
  ];
  for (const [text, says] of cases) {
    const message = issue(text);
    assert(message.includes(says), `${message}\nshould say\n${says}`);
  }
});

test(
  "files include others by relative paths, but not themselves",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/parts`);
    Deno.writeTextFileSync(
      `${directory}/box.yaml`,
      "steps: [{ include: parts/a.yaml }, { step: mapRoot }]",
    );
    Deno.writeTextFileSync(`${directory}/parts/a.yaml`, "steps:\n- include: b.yaml\n");
    Deno.writeTextFileSync(
      `${directory}/parts/b.yaml`,
      "steps: [{ step: unshare, kinds: [user] }]",
    );
    assertEquals(loadRecipe(`${directory}/box.yaml`).steps.map(({ step }) => step), [
      "unshare",
      "mapRoot",
    ]);

    Deno.writeTextFileSync(
      `${directory}/parts/b.yaml`,
      "steps:\n- { step: unshare, kinds: [usr] }\n",
    );
    const wrong = assertThrows(() => loadRecipe(`${directory}/box.yaml`), RecipeError);
    assertEquals(wrong.position, { file: `${directory}/parts/b.yaml`, line: 2, column: 27 });

    Deno.writeTextFileSync(`${directory}/parts/b.yaml`, "steps: [{ include: ../parts/b.yaml }]");
    assertThrows(() => loadRecipe(`${directory}/box.yaml`), RecipeError, "includes itself");
    Deno.writeTextFileSync(`${directory}/parts/b.yaml`, "steps: [{ include: none.yaml }]");
    assertThrows(() => loadRecipe(`${directory}/box.yaml`), RecipeError, "none.yaml");
    Deno.writeFileSync(`${directory}/parts/b.yaml`, new Uint8Array([0xff, 0xfe, 0]));
    assertThrows(() => loadRecipe(`${directory}/box.yaml`), RecipeError, "UTF-8");
    assertThrows(() => loadRecipe(`${directory}/none.yaml`), Deno.errors.NotFound);
  }),
);

test(
  "included files are in the recipe's directory, unless another one is named",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/recipes/parts`, { recursive: true });
    Deno.mkdirSync(`${directory}/shared`);
    Deno.mkdirSync(`${directory}/recipes-of-others`);
    const file = `${directory}/recipes/box.yaml`;
    const including = (path: string) =>
      Deno.writeTextFileSync(file, `steps:\n- include: ${path}\n`);
    const outside = ["shared/a.yaml", "recipes-of-others/a.yaml"].map((name) =>
      `${directory}/${name}`
    );
    for (const path of outside) Deno.writeTextFileSync(path, "steps: [{ step: mapRoot }]");
    Deno.symlinkSync(outside[0]!, `${directory}/recipes/link.yaml`);
    Deno.symlinkSync(`${directory}/shared`, `${directory}/recipes/parts/shared`);
    for (
      const path of [
        ...outside,
        "../shared/a.yaml",
        "link.yaml",
        "parts/shared/a.yaml",
        "/etc/passwd",
      ]
    ) {
      including(path);
      const error = assertThrows(
        () => loadRecipe(file),
        RecipeError,
        "outside of the recipe's directory",
      );
      assertEquals(error.position, { file, line: 2, column: 12 });
      if (path === "/etc/passwd" || path === outside[1]) continue;
      assertEquals(loadRecipe(file, { includeFrom: [`${directory}/shared`] }).steps.length, 1);
    }
    // The recipe may be a link: its directory is that of the link.
    Deno.symlinkSync(`${directory}/recipes`, `${directory}/linked`);
    Deno.writeTextFileSync(`${directory}/recipes/parts/a.yaml`, "steps: [{ step: mapRoot }]");
    including("parts/a.yaml");
    assertEquals(loadRecipe(`${directory}/linked/box.yaml`).steps.length, 1);
  }),
);

test(
  "a step without a permission can be found in the text",
  inDirectory((directory) => {
    const file = `${directory}/box.yaml`;
    Deno.writeTextFileSync(
      file,
      "steps:\n- step: unshare\n  kinds: [user, mount]\n- step: mapRoot\n" +
        "- { step: bind, source: /etc, target: /mnt }\n",
    );
    const { recipe, located } = loadRecipeText(file);
    const command = recipe.command("true", { permissions: { read: ["/usr"] } });
    // Access to the host's root belongs to no step.
    const error = assertThrows(() => command.outputSync(), PermissionError);
    const ofStep = new PermissionError("not granted", "read", { step: "bind", stepIndex: 2 });
    assertEquals(located(error).position, undefined);
    assertEquals(located(ofStep).position, { file, line: 5, column: 3 });
    assertEquals(located(ofStep).message, `${file}:5:3: step 3 (bind): not granted`);
    assertEquals(located(located(ofStep)).message, `${file}:5:3: step 3 (bind): not granted`);
  }),
);

test(
  "a step that is refused at planning can be found in the text",
  inDirectory((directory) => {
    const file = `${directory}/box.yaml`;
    Deno.writeTextFileSync(file, "steps:\n- step: mapRoot\n\n- step: hostname\n  name: x\n");
    const { recipe, located } = loadRecipeText(file);
    const error = assertThrows(() => recipe.plan(), RecipeError);
    assertEquals(located(error).position, { file, line: 2, column: 3 });
  }),
);

test("aliases that expand a small text to a large one are refused quickly", () => {
  const levels = Array.from(
    { length: 20 },
    (_, i) =>
      `  l${i}: &l${i} [${
        Array.from({ length: 9 }, () => (i === 0 ? "x" : `*l${i - 1}`)).join(", ")
      }]`,
  );
  issue(`variables:\n${levels.join("\n")}\nsteps: [{ step: unshare, kinds: *l19 }]\n`);
  issue(
    `steps:\n- &a { step: unshare, kinds:\n${levels.map((l) => "   " + l).join("\n")}\n    }\n`,
  );
});

test("a list that aliases repeat in each step is reported as too large, quickly", () => {
  const kinds = Array.from({ length: 20_000 }, () => "user").join(", ");
  const steps = Array.from({ length: 999 }, () => "- { step: unshare, kinds: *k }").join("\n");
  const text = `steps:\n- { step: unshare, kinds: &k [${kinds}] }\n${steps}\n`;
  assertStringIncludes(
    issue(text),
    "line 6, column 3: a recipe has at most 100000 values",
  );
});

test("arbitrary texts make a recipe or a RecipeError, nothing else", () => {
  const words = ["steps", ":", " ", "\n", "- ", "step", "hostname", "name", "{", "}", "[", "]", ","]
    .concat([
      "&a",
      "*a",
      "!!str",
      "|",
      ">",
      "\t",
      "'",
      '"',
      "#",
      "---",
      "...",
      "? ",
      "${a}",
      "\0",
      "é",
    ])
    .concat([
      "unshare",
      "kinds",
      "user",
      "variables",
      "include",
      "null",
      "1",
      "-1",
      "1e999",
      "<<",
      "%",
    ]);
  let state = 20261124;
  const random = (below: number) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state >>> 0) % below;
  };
  const seeds = [
    TEXT,
    "steps:\n- step: unshare\n  kinds: [user, pid]\n- include: x\n",
    "steps: []",
  ];
  for (let i = 0; i < rounds(100_000); i++) {
    let text = random(3) === 0 ? "" : seeds[random(seeds.length)]!;
    for (let edits = random(8); edits >= 0; edits--) {
      const at = random(text.length + 1);
      const word = random(10) === 0
        ? String.fromCharCode(random(65536))
        : words[random(words.length)]!;
      text = text.slice(0, at) + word + text.slice(at + random(3));
    }
    try {
      parseRecipe(text);
    } catch (error) {
      if (!(error instanceof RecipeError)) {
        throw new Error(`${JSON.stringify(text)} gives ${error}`, { cause: error });
      }
    }
  }
});

test("a variable that no text has is refused, and one of an include is not", () => {
  const text = 'steps: [{ step: hostname, name: "${name}" }, { include: a }]';
  const include = () => ({ file: "a", text: 'steps: [{ step: hostname, name: "${other}" }]' });
  const parse = (variables: Record<string, string | number>) =>
    parseRecipe(text, { variables, include, file: "box.yaml" });
  assertEquals(parse({ name: "a", other: "b" }).steps.length, 2);
  const error = assertThrows(() => parse({ name: "a", other: "b", oter: "c" }), RecipeError);
  assertEquals(error.message, 'box.yaml:1:1: there is no variable "oter"; did you mean "other"?');
});

test("a variable with a text as its default is a text", () => {
  const text = (value: string) =>
    `{ variables: { name: ${value} }, steps: [{ step: hostname, name: "\${name}" }] }`;
  const given = { variables: { name: 12 } };
  assertEquals(parseRecipe(text('"1"'), given).steps, [{ step: "hostname", name: "12" }]);
  assertThrows(() => parseRecipe(text("1"), given), RecipeError, "should be a string, not 12");
});

test("errors of calls have the place of their step too", () => {
  const text = "steps:\n- { step: unshare, kinds: [mount] }\n- { step: tmpfs, target: /none }\n";
  const { located } = readRecipe(text, { file: "box.yaml" });
  const details = { step: "tmpfs", stepIndex: 1 };
  const failed = new SyscallError({ ...details, syscall: "mount", errno: 22, hint: "do this" });
  const placed = located(failed);
  assertEquals([placed.code, placed.hint, placed.position?.line], ["EINVAL", "do this", 3]);
  const lacking = located(
    new UnsupportedError("there is none", { ...details, advice: ["get it"] }),
  );
  assertEquals(lacking.message, "box.yaml:3:3: step 2 (tmpfs): there is none\n  get it");
});
