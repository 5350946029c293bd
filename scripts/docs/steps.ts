/**
 * `deno task docs`: writes `docs/steps.md`, the reference of the steps, from their doc comments.
 *
 * @module
 */

import { STEP_SCHEMAS } from "../../recipe/steps.ts";
import { formatted } from "./format.ts";

/** Where the steps are, a family a file. */
const DIRECTORY = new URL("../../recipe/steps/", import.meta.url);
/** What exports all of them again, and the types that are not in the directory. */
const BUILDERS = new URL("builders.ts", DIRECTORY).href;
/** The file that is written. */
export const STEPS_PAGE: URL = new URL("../../docs/steps.md", import.meta.url);

/** The output of `deno doc --json` for a file. */
interface FileDoc {
  readonly module_doc?: { readonly doc?: string };
  readonly symbols: readonly { readonly name: string; readonly declarations: Declaration[] }[];
}

interface Declaration {
  readonly location: { readonly filename: string; readonly byteIndex: number };
  readonly jsDoc?: JsDoc;
  readonly kind: string;
  readonly def: { readonly extends?: readonly TypeRef[]; readonly properties?: Property[] };
}

interface Property {
  readonly name: string;
  readonly location: Declaration["location"];
  readonly jsDoc?: JsDoc;
}

interface TypeRef {
  readonly repr: string;
}

interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly {
    readonly kind: string;
    readonly doc?: string;
    readonly value?: string;
    readonly tsType?: TypeRef;
  }[];
}

/** A symbol, with the text of the file from its declaration on. */
interface Symbol extends Declaration {
  readonly name: string;
  readonly source: string;
}

const decoder = new TextDecoder();
const sources = new Map<string, Uint8Array>();

/** The text of a file from a place on. */
function sourceAt({ filename, byteIndex }: Declaration["location"]): string {
  let bytes = sources.get(filename);
  if (bytes === undefined) sources.set(filename, bytes = Deno.readFileSync(new URL(filename)));
  return decoder.decode(bytes.subarray(byteIndex));
}

/** The page, as it should be. */
export async function stepsPage(): Promise<string> {
  const docs = await documentation();
  const symbols = new Map<string, Symbol>();
  const { [BUILDERS]: builders, ...others } = docs;
  for (const file of [builders!, ...Object.values(others)]) {
    for (const { name, declarations } of file.symbols) {
      const declaration = declarations[0]!;
      // What is exported again may say no more than where it comes from.
      if (declaration.kind === "reference") continue;
      symbols.set(name, { name, source: sourceAt(declaration.location), ...declaration });
    }
  }
  const families = Object.keys(others).sort().map((file) => ({
    file,
    about: docs[file]!.module_doc?.doc ?? "",
    steps: docs[file]!.symbols.map(({ name }) => name).filter((name) => STEP_SCHEMAS.has(name)),
  })).filter(({ steps }) => steps.length > 0);
  const steps = families.flatMap(({ steps }) => steps).sort();
  return await formatted(
    [
      HEAD,
      steps.map((name) => `- [\`${name}\`](#${anchor(name)}): ${summary(symbols.get(name)!)}`)
        .join("\n"),
      ...families.flatMap(({ file, about, steps }) => [
        `## ${title(file)}`,
        plain(about),
        ...steps.map((name) => stepText(symbols.get(name)!, symbols)),
      ]),
    ].join("\n\n") + "\n",
  );
}

const HEAD = `# The steps

<!-- Written by \`deno task docs\` from the doc comments of the steps; to be changed there. -->

Each step is a function that returns plain data; [concepts.md](concepts.md) says what the words mean,
and [troubleshooting.md](troubleshooting.md) what errors say. Whatever the step:

- A field that is wrong is a \`RecipeError\` when \`recipe()\` is called.
- A step that would change the host, or is in the wrong place, is a \`RecipeError\` when the recipe
  is planned or a command of it is made. Nothing has run then.
- A call that the kernel refuses is a \`SyscallError\` with the step's name and number, when the
  program is started. Nothing is left behind then.
- What privilege a step takes, an ordinary user has in \`unshare("user")\` with mapped ids, unless the
  step says that it is the host's. Steps behind \`capabilities\` or \`setUser\` have what those leave.
- A file of the host is opened by the path that it had when the recipe was planned. A symbolic link
  that has come onto that path since then is a \`SyscallError\`, \`ELOOP\`.
- Paths of the container begin with \`/\` and have no \`..\`; a string has no NUL byte.`;

async function documentation(): Promise<Readonly<Record<string, FileDoc>>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...filesIn(DIRECTORY)],
  }).output();
  if (!success) throw new Error(decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout)).nodes;
}

function filesIn(directory: URL): string[] {
  return [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((
    entry,
  ) =>
    entry.isDirectory
      ? filesIn(new URL(`${entry.name}/`, directory))
      : entry.name.endsWith(".ts")
      ? [new URL(entry.name, directory).pathname]
      : []
  );
}

/** The family's name: that of its file. */
function title(file: string): string {
  const words = file.slice(DIRECTORY.href.length).replace(/\.ts$/, "").replace("_", " ");
  return words[0]!.toUpperCase() + words.slice(1).replace("/", ": ");
}

function anchor(name: string): string {
  return name.toLowerCase();
}

function stepText(symbol: Symbol, symbols: ReadonlyMap<string, Symbol>): string {
  const { name, source, jsDoc = {} } = symbol;
  const signature = /^export function ([\s\S]*?): \w+ \{\n/.exec(source)![1]!;
  const type = symbols.get(`${name[0]!.toUpperCase()}${name.slice(1)}Step`)!;
  const rows = propertiesOf(type, symbols).filter((property) => property.name !== "step");
  const tags = (kind: string) => jsDoc.tags?.filter((tag) => tag.kind === kind) ?? [];
  const throws = tags("throws").map(({ tsType, doc }) =>
    `- \`${tsType?.repr}\` ${plain(doc ?? "").trim()}`
  );
  return [
    `### ${name}`,
    "```ts ignore\n" + signature + "\n```",
    plain(jsDoc.doc ?? ""),
    rows.map(rowText).join("\n"),
    ...typesIn([signature, ...rows.map(typeText)].join("\n"), name, symbols),
    throws.length > 0 ? `Errors:\n\n${throws.join("\n")}` : "",
    ...tags("example").map(({ doc = "" }) => plain(doc).replaceAll("```ts\n", "```ts ignore\n")),
  ].filter((part) => part !== "").join("\n\n");
}

/** The fields of an interface, with those of the interfaces that it extends. */
function propertiesOf(symbol: Symbol, symbols: ReadonlyMap<string, Symbol>): Property[] {
  const inherited = (symbol.def.extends ?? []).flatMap(({ repr }) => {
    const base = symbols.get(repr);
    return base === undefined ? [] : propertiesOf(base, symbols);
  });
  return [...(symbol.def.properties ?? []), ...inherited];
}

function rowText(property: Property): string {
  const { jsDoc } = property;
  const otherwise = jsDoc?.tags?.find(({ kind }) => kind === "default");
  return `- \`${typeText(property)}\`: ${sentence(jsDoc?.doc)}` +
    (otherwise === undefined ? "" : ` Default: ${defaultText(otherwise)}.`);
}

function defaultText({ value, doc }: { value?: string; doc?: string }): string {
  const text = (value ?? doc ?? "").trim();
  return value === undefined || / /.test(text) ? text : `\`${text}\``;
}

/** The declaration of a field, as it is written: `size?: string`. */
function typeText({ location }: Property): string {
  const text = /^readonly ([\s\S]*?);\n/.exec(sourceAt(location))?.[1] ?? "";
  return text.replace(/\s+/g, " ").replace(/: \| /, ": ");
}

/** The types of the steps' files that the text names, each with its fields, and theirs. */
function typesIn(
  text: string,
  step: string,
  symbols: ReadonlyMap<string, Symbol>,
  described: Set<string> = new Set(),
): string[] {
  return [...new Set(text.match(/\b[A-Z]\w+/g))].flatMap((name) => {
    const symbol = symbols.get(name);
    if (symbol === undefined || described.has(name) || name.endsWith("Step")) return [];
    described.add(name);
    if (symbol.kind === "typeAlias") {
      const alias = /^export type ([\s\S]*?);\n/.exec(symbol.source)![1]!.replace(/\s+/g, " ");
      const about = `\`${alias.replace("= | ", "= ")}\`: ${sentence(symbol.jsDoc?.doc)}`;
      return [about, ...typesIn(alias, step, symbols, described)];
    }
    if (symbol.kind !== "interface" || isOptionsOf(symbol, step, symbols)) return [];
    const rows = propertiesOf(symbol, symbols);
    return [
      `\`${name}\`: ${sentence(symbol.jsDoc?.doc)}`,
      rows.map(rowText).join("\n"),
      ...typesIn(rows.map(typeText).join("\n"), step, symbols, described),
    ];
  });
}

/** Whether the step has these fields itself. */
function isOptionsOf(symbol: Symbol, step: string, symbols: ReadonlyMap<string, Symbol>): boolean {
  const type = symbols.get(`${step[0]!.toUpperCase()}${step.slice(1)}Step`)!;
  return type.def.extends?.some(({ repr }) =>
    repr === symbol.name ||
    symbols.get(repr)?.def.extends?.some((base) => base.repr === symbol.name) === true
  ) === true;
}

function summary(symbol: Symbol): string {
  return /^[\s\S]*?[.:](?=\s|$)/.exec(plain(symbol.jsDoc?.doc ?? ""))?.[0]
    .replace(/\s+/g, " ").replace(/:$/, ".") ?? "";
}

/** A doc comment as one line. */
function sentence(doc = ""): string {
  return plain(doc).trim().replace(/\s+/g, " ");
}

/** A doc comment without its links, which lead nowhere on a page. */
function plain(doc: string): string {
  return doc.replace(/\{@linkcode ([^}]+)\}/g, "`$1`").trim();
}

if (import.meta.main) await Deno.writeTextFile(STEPS_PAGE, await stepsPage());
