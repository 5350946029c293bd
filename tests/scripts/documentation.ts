/** What `deno doc` tells of the module. */

import { STEP_SCHEMAS } from "../../recipe/steps.ts";

/** A doc comment. */
export interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly { readonly kind: string; readonly doc?: string }[];
}

interface Declaration {
  readonly kind: string;
  readonly location: { readonly filename: string };
  readonly jsDoc?: JsDoc;
  readonly def?: {
    readonly methods?: readonly { readonly name: string; readonly jsDoc?: JsDoc }[];
  };
}

/** Something that is exported, by its first declaration, which has the comment. */
export interface Symbol extends Declaration {
  readonly name: string;
}

interface FileDoc {
  readonly module_doc?: JsDoc;
  readonly symbols: readonly { readonly name: string; readonly declarations: Declaration[] }[];
}

/** The directory of the project. */
export const PROJECT: URL = new URL("../../", import.meta.url);

/** `mod.ts` exports `linux` as a namespace, of which `deno doc` leaves out what has been renamed. */
export const ENTRIES = [
  "mod.ts",
  "ffi/linux/mod.ts",
  "yaml/mod.ts",
  "host.ts",
  "shell/mod.ts",
  "box/mod.ts",
  "services/mod.ts",
  "images/mod.ts",
  "changes/mod.ts",
  "export/mod.ts",
  "cdi/mod.ts",
] as const;

const documentation: Readonly<Record<string, FileDoc>> = (() => {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...ENTRIES],
    cwd: PROJECT,
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)).nodes;
})();

/** The entries, in their order. */
export const modules: readonly FileDoc[] = ENTRIES.map((entry) =>
  documentation[new URL(entry, PROJECT).href]!
);

/** What each entry exports of its own. */
export const [main, linux, yaml, host, shell, box, services] = modules.map((
  { symbols },
): Symbol[] =>
  symbols.map(({ name, declarations }) => ({ name, ...declarations[0]! }))
    .filter(({ kind }) => kind !== "reference" && kind !== "namespace")
) as [Symbol[], Symbol[], Symbol[], Symbol[], Symbol[], Symbol[], Symbol[]];

/** The builders of the steps. */
export const steps: readonly Symbol[] = main.filter(({ name, kind }) =>
  kind === "function" && STEP_SCHEMAS.has(name)
);

/** The tags of a kind that a comment has. */
export function tags(jsDoc: JsDoc | undefined, kind: string): NonNullable<JsDoc["tags"]> {
  return jsDoc?.tags?.filter((tag) => tag.kind === kind) ?? [];
}
