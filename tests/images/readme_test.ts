/** README's screen of images does what it says, with a registry of this machine. */

import { assert, assertEquals } from "@std/assert";
import { recipe } from "../../mod.ts";
import { RUN } from "../ramekin/support.ts";
import { noPodman, PODMAN_RUN, printed, scriptApart } from "./engines.ts";
import { FixtureRegistry } from "./fixture_registry.ts";
import { BUSYBOX, makeImage, systemFiles } from "./made_image.ts";
import { inDirectory } from "./support.ts";

const README = new URL("../../README.md", import.meta.url);
const noBusybox = BUSYBOX === undefined ? "needs a static busybox (busybox-static)" : undefined;

/** The blocks of a heading: those of a shell, and those of YAML. */
function screen(heading: string): { readonly script: string; readonly yaml: string } {
  const text = Deno.readTextFileSync(README);
  const section = text.slice(text.indexOf(`\n## ${heading}\n`)).split(/\n## /)[1]!;
  const block = (kind: string) => new RegExp(`\`\`\`${kind}\n([^]*?)\`\`\``).exec(section)![1]!;
  return { script: block("sh"), yaml: block("yaml") };
}

/** Makes a directory with the command, and what the screen has around it. */
async function kitchen(directory: string): Promise<{
  readonly script: string;
  readonly registry: FixtureRegistry;
}> {
  const registry = new FixtureRegistry();
  const nobody = {
    name: "etc/passwd",
    content: "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/\n",
  };
  // Podman refuses a name that is there twice.
  const files = systemFiles().filter(({ name }) => name !== nobody.name);
  registry.put("debian:12", makeImage({ layers: [[...files, nobody]] }));
  const { script, yaml } = screen("Images");
  const command = RUN.toSpliced(-1, 0, "--allow-write").map((word) => `'${word}'`).join(" ");
  // What it shows to "nobody" is open to all.
  await Deno.chmod(directory, 0o755);
  await Deno.mkdir(`${directory}/bin`);
  await Deno.writeTextFile(`${directory}/bin/ramekin`, `#!/bin/sh\nexec ${command} "$@"\n`, {
    mode: 0o755,
  });
  await Deno.writeTextFile(`${directory}/kitchen.yaml`, yaml);
  return {
    registry,
    script: script.replaceAll("localhost:5000/debian:12", `${registry.host}/pushed:12`)
      .replaceAll(/(?<=[ =])debian:12/g, `${registry.host}/debian:12`),
  };
}

/** The environment of the screen. */
function environment(directory: string): Record<string, string> {
  return {
    PATH: `${directory}/bin:${Deno.env.get("PATH")}`,
    RAMEKIN_IMAGES: `${directory}/store`,
    XDG_RUNTIME_DIR: directory,
  };
}

inDirectory("README's images are pulled, run, changed, packed and pushed", async (directory) => {
  const { script, registry } = await kitchen(directory);
  await using _registry = registry;
  const lines = script.split("\n").filter((line) => line.startsWith("ramekin "));
  assert(lines.length > 8);
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-euc", lines.join("\n")],
    cwd: directory,
    env: environment(directory),
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  const printed = decoder.decode(stdout);
  // `ls /work` shows this directory.
  assert(printed.includes("\nkitchen.yaml\n"), printed);
  assert(printed.includes("oci-archive:kitchen.tar@sha256:"), printed);
  assert(registry.manifests.has("pushed@12"));
}, noBusybox);

inDirectory("podman runs what README's screen has packed", async (directory) => {
  const { script, registry } = await kitchen(directory);
  await using _registry = registry;
  const lines = script.split("\n").filter((line) =>
    /--keep|^ramekin (commit|pack) |^podman /.test(line)
  );
  const [podman] = lines.splice(-1) as [string];
  const options = { cwd: directory, env: environment(directory) };
  const sh = (script: string) => ({ args: ["-euc", script], ...options });
  await printed(recipe().command("sh", sh(lines.join("\n"))));
  const run = podman.replace(/^podman run/, PODMAN_RUN);
  assertEquals(await printed(scriptApart(run, options)), "soup\n");
}, noPodman ?? noBusybox);
