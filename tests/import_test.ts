/** The module for its users: from a URL, without configuration, with strict types. */

import { assertEquals } from "@std/assert";
import { test } from "./support.ts";

const PROJECT = new URL("..", import.meta.url);

/** Serves the project's files like a static file server, and lists the requested paths. */
async function served(use: (origin: string, requested: readonly string[]) => Promise<void>) {
  const requested: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (req) => {
    const { pathname } = new URL(req.url);
    requested.push(pathname);
    try {
      const type = pathname.endsWith(".js") ? "application/javascript" : "application/typescript";
      return new Response(await Deno.readFile(new URL(`.${pathname}`, PROJECT)), {
        headers: { "content-type": type },
      });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, requested);
  } finally {
    await server.shutdown();
  }
}

/** Runs Deno in an empty directory with an empty cache. */
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

const ONE_FILE = "/dist/ramekin.js";

const script = (module: string) => `
import { hostname, mapRoot, recipe, type Recipe, unshare } from "${module}";

const box: Recipe = recipe(unshare("user", "uts", "pid"), mapRoot(), hostname("from-a-url"));
const { stdout } = await box.command("sh", { args: ["-c", "hostname; echo $$"] }).output();
console.log(new TextDecoder().decode(stdout));
`;

for (const path of ["/mod.ts", ONE_FILE]) {
  test(`a script without any configuration imports ${path} from a URL, and runs a container`, () =>
    served(async (origin, requested) => {
      const flags = ["--no-prompt", `--allow-import=${new URL(origin).host}`, "--allow-ffi"];
      assertEquals(await deno(["run", ...flags], script(origin + path)), "from-a-url\n1\n\n");
      if (path === ONE_FILE) assertEquals(requested, [ONE_FILE]);
    }));

  test(`the types of ${path} hold under a consumer's strict settings`, () =>
    served(async (origin) => {
      const flags = [`--allow-import=${new URL(origin).host}`];
      await deno(["check", ...flags], script(origin + path));
    }));
}

test("the command runs from a URL, by two requests", () =>
  served(async (origin, requested) => {
    const directory = Deno.makeTempDirSync();
    try {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          `--allow-import=${new URL(origin).host}`,
          ...["--allow-ffi", "--allow-read", "--allow-net"],
          `${origin}/dist/command.js`,
          ...["sandbox", "--", "echo", "soup"],
        ],
        cwd: directory,
        env: { DENO_DIR: `${directory}/cache`, NO_COLOR: "1" },
        stdin: "null",
      }).output();
      assertEquals(new TextDecoder().decode(stdout), "soup\n");
      assertEquals(requested, ["/dist/command.js", "/dist/sandbox.js"]);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  }));

/** The paths that `mod.ts` may import, directly or indirectly. */
const BELOW = [
  "audit/",
  "container/",
  "ffi/",
  "host/",
  "launch/",
  "permissions/",
  "plan/",
  "proxy/",
  "recipe/",
].map((part) => PROJECT.href + part);

test("the module and its imports import nothing but one another", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "mod.ts"],
    cwd: PROJECT,
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout));
  const foreign = modules.map(({ specifier }: { specifier: string }) => specifier)
    .filter((specifier: string) => !BELOW.some((part) => specifier.startsWith(part)));
  assertEquals(foreign, [`${PROJECT.href}mod.ts`]);
});

/**
 * The imports of the command that are not of the public entries: plain functions on texts and steps,
 * and these.
 */
const COMMANDS_OWN: readonly string[] = [
  "host/subordinate_ids.ts",
  "recipe/container_name.ts",
  "recipe/default_path.ts",
  "recipe/path.ts",
  "recipe/shell_word.ts",
  "recipe/shown.ts",
  "recipe/nearest.ts",
  "recipe/unexpanded.ts",
  "recipe/variable_pattern.ts",
  "recipe/version.ts",
  "recipe/written_step.ts",
  "recipe/granted_host.ts",
  "ffi/control_characters.ts",
  // The input before a question is flushed by an ioctl(2), which no entry has.
  "ffi/calls/files.ts",
  "ffi/syscalls.ts",
];

test("the command is a client of the public entries", () => {
  const below = imports("scripts/ramekin/").filter(({ to }) =>
    BELOW.some((part) => (PROJECT.href + to).startsWith(part)) && !COMMANDS_OWN.includes(to)
  );
  assertEquals(below, []);
});

/** The relative imports in a file, or in all files of a directory. */
function imports(path: string): { readonly from: string; readonly to: string }[] {
  const file = new URL(path, PROJECT);
  if (path.endsWith("/")) {
    return [...Deno.readDirSync(file)].flatMap(({ name, isDirectory }) =>
      isDirectory || name.endsWith(".ts") ? imports(path + name + (isDirectory ? "/" : "")) : []
    );
  }
  return [...Deno.readTextFileSync(file).matchAll(/(?: from |import\()"(\.[^"]+)"/g)]
    .map(([, to]) => ({ from: path, to: new URL(to!, file).href.slice(PROJECT.href.length) }));
}
