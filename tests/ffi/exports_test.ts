import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
/** What users import: everything that these export again is used. */
const ENTRIES = ["mod.ts", "ffi/linux/mod.ts"];

/** The sources by their paths. */
function sources(directory = "", found = new Map<string, string>()): Map<string, string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(`./${directory}`, ROOT))) {
    const path = `${directory}${name}`;
    if (isDirectory && !name.startsWith(".") && name !== "node_modules") sources(`${path}/`, found);
    else if (name.endsWith(".ts")) found.set(path, Deno.readTextFileSync(new URL(path, ROOT)));
  }
  return found;
}

/** The names that are imported of each file; those that a file exports again are `*FILE`. */
function importsOf(files: ReadonlyMap<string, string>): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  for (const [file, text] of files) {
    const clauses = text.matchAll(
      /(?:import|export)\s+(?:type\s+)?(\{[^}]*\}|\*(?: as \w+)?)\s+from\s+"(\.[^"]+)"/g,
    );
    for (const [, clause, from] of clauses) {
      const target = new URL(from!, `file:///${file}`).pathname.slice(1);
      const names = imports.get(target) ?? new Set();
      imports.set(target, names);
      const space = /as (\w+)/.exec(clause!)?.[1];
      const used = clause!.startsWith("{")
        ? clause!.matchAll(/(?:type )?(\w+)(?: as \w+)?/g)
        : text.matchAll(new RegExp(`\\b${space}\\.(\\w+)`, "g"));
      if (clause === "*") names.add(`*${file}`);
      else for (const [, name] of used) names.add(name!);
    }
  }
  return imports;
}

/** The names that scripts of tests import when they run. */
function importedLater(files: ReadonlyMap<string, string>): Set<string> {
  const lists = [...files.values()].flatMap((text) => [
    ...text.matchAll(/\{([^{}]*)\} = await import\(/g),
  ]);
  return new Set(lists.flatMap(([, names]) => names!.split(",").map((name) => name.trim())));
}

Deno.test("every export of ffi/ is used", () => {
  const files = sources();
  const imports = importsOf(files);
  const later = importedLater(files);
  const isUsed = (file: string, name: string): boolean =>
    ENTRIES.includes(file) ||
    [...imports.get(file) ?? []].some((used) =>
      used === name || (used.startsWith("*") && isUsed(used.slice(1), name))
    );
  const exported = [...files].filter(([file]) => file.startsWith("ffi/")).flatMap(([file, text]) =>
    [...text.matchAll(/^export (?:const|function|class) (\w+)/gm)].map(([, name]) => ({
      file,
      name,
    }))
  );
  const unused = exported.filter(({ file, name }) => !isUsed(file, name!) && !later.has(name!));
  assertEquals(unused.map(({ file, name }) => `${file}: ${name}`), []);
});
