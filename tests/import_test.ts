/** The module as its users get it: from a URL, without any configuration, under strict types. */

import { assertEquals } from "@std/assert";
import { test } from "./support.ts";

const PROJECT = new URL("..", import.meta.url);

/** Serves the project's files, as any server of static files would. */
async function served(use: (origin: string) => Promise<void>): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (req) => {
    const path = new URL(`.${new URL(req.url).pathname}`, PROJECT);
    try {
      return new Response(await Deno.readFile(path), {
        headers: { "content-type": "application/typescript" },
      });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

/** Runs Deno in an empty directory, with a cache that knows nothing of this project. */
async function deno(args: string[], script: string): Promise<string> {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/script.ts`, script);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, "script.ts"],
      cwd: directory,
      env: { DENO_DIR: `${directory}/cache`, NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0, err);
    return out!;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const script = (origin: string) => `
import { hostname, mapRoot, recipe, type Recipe, unshare } from "${origin}/mod.ts";

const box: Recipe = recipe(unshare("user", "uts", "pid"), mapRoot(), hostname("from-a-url"));
const { stdout } = await box.command("sh", { args: ["-c", "hostname; echo $$"] }).output();
console.log(new TextDecoder().decode(stdout));
`;

test("a script without any configuration imports the module from a URL, and runs it", () =>
  served(async (origin) => {
    const flags = ["--no-prompt", `--allow-import=${new URL(origin).host}`, "--allow-ffi"];
    assertEquals(await deno(["run", ...flags], script(origin)), "from-a-url\n1\n\n");
  }));

test("the module's types hold under a consumer's strict settings", () =>
  served(async (origin) => {
    const flags = [`--allow-import=${new URL(origin).host}`];
    await deno(["check", ...flags], script(origin));
  }));

test("the module and all that it reaches import nothing but one another", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "mod.ts"],
    cwd: PROJECT,
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout));
  const foreign = modules.map(({ specifier }: { specifier: string }) => specifier)
    .filter((specifier: string) =>
      !specifier.startsWith(`${PROJECT.href}ffi/`) &&
      !specifier.startsWith(`${PROJECT.href}recipe/`)
    );
  assertEquals(foreign, [`${PROJECT.href}mod.ts`]);
});

test("each layer imports only what lies below it", () => {
  const imports = (directory: string): string[] =>
    [...Deno.readDirSync(new URL(directory, PROJECT))].flatMap(({ name, isDirectory }) =>
      isDirectory ? imports(`${directory}${name}/`) : !name.endsWith(".ts") ? [] : [
        ...Deno.readTextFileSync(new URL(directory + name, PROJECT)).matchAll(
          / from "(\.[^"]+)"/g,
        ),
      ]
        .map(([, path]) => new URL(path!, new URL(directory + name, PROJECT)).href)
        .map((href) => `${directory}${name} -> ${href.slice(PROJECT.href.length)}`)
    );
  const outside = (layer: string, ...below: string[]) =>
    imports(layer).filter((arrow) => !below.some((directory) => arrow.includes(`-> ${directory}`)));
  assertEquals(outside("ffi/", "ffi/"), []);
  assertEquals(outside("recipe/", "recipe/", "ffi/"), []);
});
