/** The doc comments tell all that a reader needs: an example that runs, what fails, what it takes. */

import { assertEquals } from "@std/assert";
import { STEP_SCHEMAS } from "../../recipe/steps.ts";
import { test } from "../support.ts";
import {
  box,
  ENTRIES,
  host,
  type JsDoc,
  linux,
  main,
  modules,
  PROJECT,
  services,
  shell,
  steps,
  type Symbol,
  tags,
  yaml,
} from "./documentation.ts";

/** The examples that `deno test --doc` runs as whoever imports the module would write them. */
function examplesOf(jsDoc: JsDoc | undefined): string[] {
  return tags(jsDoc, "example").map(({ doc = "" }) => doc).filter((doc) =>
    /^```ts\n[^]*?from "@ramekin\/ramekin(\/yaml|\/host|\/shell|\/services|\/box|\/images)?";/m
      .test(doc)
  );
}

const namesOf = (symbols: readonly { readonly name: string }[]) => symbols.map(({ name }) => name);

const lacksExample = ({ jsDoc }: { readonly jsDoc?: JsDoc }) => examplesOf(jsDoc).length === 0;

test("every function, class and constant has an example, apart from the kernel's numbers", () => {
  const named = new Set(modules[0]!.symbols.map(({ name }) => name));
  const ofLinux = linux.filter(({ name, kind }) => kind !== "variable" || named.has(name));
  const symbols = [...main, ...ofLinux, ...yaml, ...host, ...shell, ...box, ...services]
    .filter(({ kind }) => ["function", "class", "variable"].includes(kind));
  assertEquals(namesOf(symbols.filter(lacksExample)), []);
  assertEquals(ENTRIES.filter((_, index) => lacksExample({ jsDoc: moduleDoc(index) })), [
    // A text in YAML is what there is to show of it.
    "yaml/mod.ts",
  ]);
});

function moduleDoc(index: number): JsDoc {
  return modules[index]!.module_doc!;
}

const examples = [
  ...[...main, ...linux, ...yaml, ...host, ...shell, ...box, ...services].flatMap((
    { jsDoc, def },
  ) => [
    ...examplesOf(jsDoc),
    ...(def?.methods ?? []).flatMap((method) => examplesOf(method.jsDoc)),
  ]),
  ...modules.flatMap(({ module_doc }) => examplesOf(module_doc)),
].join("\n");

test("every type is that of something else: an example of that shows it", () => {
  const texts = [...main, ...linux, ...yaml, ...host, ...shell, ...box, ...services].map((symbol) =>
    [symbol.name, JSON.stringify(symbol)] as const
  );
  const types = [...main, ...linux, ...yaml, ...host, ...shell, ...box, ...services]
    .filter(({ kind }) => kind === "interface" || kind === "typeAlias");
  const alone = types.filter(({ name }) =>
    !texts.some(([other, text]) =>
      other !== name && new RegExp(`"typeName":"(\\w+\\.)?${name}"`).test(text)
    )
  );
  assertEquals(namesOf(alone), []);
});

test("every family of the kernel's numbers is used in an example", () => {
  const families = Map.groupBy(
    linux.filter(({ kind }) => kind === "variable"),
    ({ location }) => location.filename.slice(PROJECT.href.length),
  );
  const unused = [...families].filter(([, numbers]) =>
    !numbers.some(({ name }) => new RegExp(`\\b${name}\\b`).test(examples))
  );
  assertEquals(unused.map(([family]) => family), []);
});

test("every method and every getter of a class is used in an example", () => {
  const scopes = new Map([["[Symbol.dispose]", "using "], [
    "[Symbol.asyncDispose]",
    "await using ",
  ]]);
  const classes = [...main, ...linux, ...shell, ...services].filter(({ kind }) => kind === "class");
  const unused = classes.flatMap(({ name, def }) =>
    (def?.methods ?? []).map((method) => method.name)
      .filter((method) => !examples.includes(scopes.get(method) ?? `.${method}`))
      .map((method) => `${name}.${method}`)
  );
  assertEquals(unused, []);
});

/** What a comment says where there is nothing to throw. */
const NEVER_FAILS = /nothing of it fails|[Cc]annot fail/;

const saysWhatFails = ({ jsDoc }: Symbol) =>
  tags(jsDoc, "throws").length > 0 || NEVER_FAILS.test(jsDoc?.doc ?? "");

test("every step says what fails, or that nothing does", () => {
  assertEquals(steps.length, STEP_SCHEMAS.size);
  assertEquals(namesOf(steps.filter((step) => !saysWhatFails(step))), []);
});

test("every step says what it needs, or that it needs no privilege", () => {
  const said = /\b[Nn]eeds?\b|\bCAP_[A-Z]|without privilege/;
  const texts = ({ jsDoc }: Symbol) =>
    [jsDoc?.doc ?? "", ...tags(jsDoc, "throws").map(({ doc }) => doc ?? "")].join("\n");
  assertEquals(namesOf(steps.filter((step) => !said.test(texts(step)))), []);
});

test("every other function says what fails, or that nothing does", () => {
  const functions = [...main, ...linux, ...yaml, ...host, ...shell, ...box, ...services].filter((
    { kind },
  ) => kind === "function");
  assertEquals(namesOf(functions.filter((one) => !saysWhatFails(one))), []);
});

test("an errno that a comment names is one of the kernel's", async () => {
  const { ERRNO } = await import("../../mod.ts");
  const thrown = [...main, ...linux, ...yaml, ...host, ...shell, ...box, ...services].flatMap((
    { name, jsDoc, def },
  ) =>
    [jsDoc, ...(def?.methods ?? []).map((method) => method.jsDoc)]
      .flatMap((one) => tags(one, "throws"))
      .flatMap(({ doc = "" }) => doc.match(/`E[A-Z0-9]+`/g) ?? [])
      .map((errno) => `${name}: ${errno.replaceAll("`", "")}`)
  );
  assertEquals(thrown.filter((errno) => !Object.hasOwn(ERRNO, errno.split(": ")[1]!)), []);
});
