/**
 * Has a bundle load the modules of Node with those of its own that use them. The bundler leaves
 * `import { createHash } from "node:crypto"` at the head of a module that runs later, if ever; Deno
 * would load all of them at once, which takes longer than the command does otherwise.
 *
 * @module
 */

/** Where the part of a module begins: the bundler writes its path. */
const PART = /^(?=\/\/ \S+\.[jt]s$)/m;
const IMPORT = /^import \{ ([^}]*) \} from ("node:[\w/]+");\n/gm;
/** The beginning of what runs when the module is first imported. */
const BODY = /^var init_\w+ = __esm\(\{\n {2}"[^"\n]+"\(\) \{\n/m;

/** The bundle, with the modules of Node loaded late. */
export function loadNodeLate(source: string): string {
  return source.split(PART).map((part) => {
    const imports = [...part.matchAll(IMPORT)];
    if (imports.length === 0 || !BODY.test(part)) return part;
    const names = imports.flatMap(([, list]) =>
      list!.split(", ").map((name) => name.split(" as ").at(-1)!)
    );
    const loads = imports.map(([, list, module]) =>
      `    ({ ${list!.replaceAll(" as ", ": ")} } = process.getBuiltinModule(${module}));\n`
    );
    return part.replaceAll(IMPORT, "")
      .replace(/^.*\n/, (head) => `${head}var ${names.join(", ")};\n`)
      .replace(BODY, (begin) => begin + loads.join(""));
  }).join("");
}
