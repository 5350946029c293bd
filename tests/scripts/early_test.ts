/** Functions that are compiled with their file: they mean what they meant. */

import { assertEquals } from "@std/assert";
import { compileEarly } from "../../scripts/bundle/early.ts";
import { functionsOf, programOf } from "../../scripts/bundle/functions.ts";
import { compiledLate } from "../../scripts/bundle/first_run.ts";
import { test } from "../support.ts";

/** A bundle of two modules, the second as the bundler writes one that is loaded later. */
const SOURCE = `// first.ts
var total = add2(1, 2);
function add2(a, b) {
  return a + b;
}
async function later(value) {
  await null;
  return value;
}
function* upTo(end) {
  for (let at = 0; at < end; at++) yield at;
}
var Base = class {
  name() {
    return "base";
  }
};
var Soup = class _Soup extends Base {
  static #made = 0;
  static pot = _Soup.make();
  #salt = 1;
  constructor() {
    super();
    _Soup.#made++;
  }
  static make() {
    return new _Soup();
  }
  static get made() {
    return _Soup.#made;
  }
  get salt() {
    return this.#salt;
  }
  set salt(value) {
    this.#salt = value;
  }
  name() {
    return "soup of " + super.name();
  }
  taste(more = 0) {
    return this.#salt + more;
  }
  isSoup(value) {
    return #salt in value;
  }
  async serve() {
    return this.taste(1);
  }
  *spoons() {
    yield* [1, 2].map((spoon) => spoon * this.taste());
  }
  #stir(times, ...others) {
    return [this.#salt * times, ...others];
  }
  static #pour(soup) {
    return soup.#stir(5);
  }
  async #wait() {
    return this.taste(7);
  }
  #valued() {
    return 9;
  }
  #chained() {
    return 11;
  }
  #tested() {}
  async cook(nothing) {
    const more = [2, 3];
    const valued = this.#valued;
    return [
      this.#stir(2), this.#stir(this.#stir(3)[0], ...more), _Soup.#pour(this), await this.#wait(),
      valued(), nothing?.#chained(), this?.#chained(), #tested in this,
    ];
  }
  "two words"() {
    return 2;
  }
  [Symbol.iterator]() {
    return [][Symbol.iterator]();
  }
};
var bowl = { size: 3, fill() { return this.size; }, name: () => "bowl", wait: async () => "done" };

// second.ts
var ready;
var init_second = ((parts) => () => Object.values(parts)[0]())({
  "second.ts"() {
    ready = [1, 2, 3].filter((one) => one > 1).length;
  }
});
init_second();
export { add2, bowl, later, ready, Soup, total, upTo };
`;

/** What can be seen of the module from outside. */
const SEEN = `
const soup = new Soup();
console.log(JSON.stringify([
  total, ready, await later(1), [...upTo(2)], bowl.fill(), bowl.name(), await bowl.wait(),
  Soup.made, Soup.pot.name(), soup.taste(), soup.taste(2), soup.isSoup(soup), soup.isSoup({}),
  await soup.serve(), await soup.cook(), [...soup.spoons()], soup["two words"](), [...soup],
  [add2, later, upTo, Soup, Soup.make, soup.taste, soup["two words"], bowl.fill, bowl.name]
    .map(({ name, length }) => [name, length]),
  Object.keys(Soup), Object.keys(Soup.prototype), [...function* () { for (const k in soup) yield k; }()],
  Object.getOwnPropertyNames(Soup.prototype).sort(),
  Object.getOwnPropertyDescriptor(Soup.prototype, "taste").writable,
  soup.salt, soup.salt = 4, soup.salt, Object.getOwnPropertyDescriptor(Soup.prototype, "salt"),
]));
`;

/** Runs the file as a module, and returns what it prints and which functions V8 compiled late. */
async function run(source: string): Promise<{ printed: string; late: readonly string[] }> {
  const directory = await Deno.makeTempDir({ prefix: "ramekin-early-" });
  try {
    await Deno.writeTextFile(`${directory}/file.js`, source);
    const text = `import { add2, bowl, later, ready, Soup, total, upTo } from "./file.js";${SEEN}`;
    await Deno.writeTextFile(`${directory}/script.js`, text);
    const log = `${directory}/log`;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        `--v8-flags=--log-function-events,--logfile=${log},--no-logfile-per-isolate`,
        `${directory}/script.js`,
      ],
      env: { DENO_DIR: `${directory}/cache` },
    }).output();
    const printed = new TextDecoder().decode(stdout);
    if (printed === "") throw new Error(new TextDecoder().decode(stderr));
    const late = compiledLate(await Deno.readTextFile(log), "/file.js", source);
    return { printed, late };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

test("functions have names that hold in both forms of a bundle", () => {
  assertEquals(functionsOf(programOf(SOURCE), SOURCE).map(({ name }) => name), [
    "first.ts/add",
    "first.ts/later",
    "first.ts/upTo",
    "first.ts/Base/name",
    "first.ts/Soup/constructor constructor",
    "first.ts/Soup/make",
    "first.ts/Soup/get made",
    "first.ts/Soup/get salt",
    "first.ts/Soup/set salt",
    "first.ts/Soup/name",
    "first.ts/Soup/taste",
    "first.ts/Soup/isSoup",
    "first.ts/Soup/serve",
    "first.ts/Soup/spoons",
    "first.ts/Soup/spoons/0",
    "first.ts/Soup/#stir",
    "first.ts/Soup/#pour",
    "first.ts/Soup/#wait",
    "first.ts/Soup/#valued",
    "first.ts/Soup/#chained",
    "first.ts/Soup/#tested",
    "first.ts/Soup/cook",
    "first.ts/Soup/two words",
    "first.ts/Soup/0",
    "first.ts/bowl/0",
    "first.ts/bowl/1",
    "first.ts/bowl/2",
    "second.ts/init_second/0",
    "second.ts/init_second/0/0",
    "second.ts/",
    "second.ts/ready/0",
  ]);
});

test("a file whose functions are compiled early does what it did", async () => {
  const [before, after] = [await run(SOURCE), await run(compileEarly(SOURCE, () => true))];
  assertEquals(after.printed, before.printed);
});

test("V8 compiles them with the file, and no others", async () => {
  const all = await run(compileEarly(SOURCE, () => true));
  // What no parentheses help: constructors, setters, computed names, super, async arrows.
  assertEquals(all.late.length < 12, true, all.late.join());
  const early = /taste|add|upTo|later|serve|spoons|made|make|cook|stir|pour|wait$|get salt/;
  assertEquals(all.late.filter((name) => early.test(name)), []);
  const none = await run(compileEarly(SOURCE, () => false));
  assertEquals(none.late.includes("first.ts/Soup/taste"), true, none.late.join());
});
