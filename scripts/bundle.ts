/**
 * `deno task bundle`: makes `ramekin.js`, the module and all that it reaches in one file: one request
 * for who imports it from a URL, and less than half of the time to load. Types are still `mod.ts`'s.
 *
 * @module
 */

const PROJECT = new URL("..", import.meta.url);

const HEAD = `// Ramekin in one file. Made by \`deno task bundle\` of mod.ts; a test compares them.
// @ts-self-types="./mod.ts"
`;

/** The module as one file. */
export async function bundle(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "ramekin-bundle-" });
  try {
    const path = `${folder}/ramekin.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--output", path, "mod.ts"],
      cwd: PROJECT,
    }).output();
    if (!success) throw new Error(`deno bundle: ${new TextDecoder().decode(stderr)}`);
    return HEAD + await Deno.readTextFile(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await Deno.writeTextFile(new URL("ramekin.js", PROJECT), await bundle());
