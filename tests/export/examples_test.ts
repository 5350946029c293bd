/** The examples of docs/exports.md, run as they are written. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mapRoot, recipe, tmpfs, unshare } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { RUN, withFiles } from "../ramekin/support.ts";
import { root, test } from "../support.ts";
import { without } from "./support.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/exports.md", import.meta.url));

const examples = (language: string) =>
  Array.from(
    PAGE.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm")),
    ([, text]) => text!,
  );

const FILES = {
  "kitchen.yaml": examples("yaml")[0]!,
  "pod.yaml": examples("yaml")[1]!,
  "box.yaml":
    "steps: [{ step: unshare, kinds: [user, uts] }, { step: mapRoot }, { step: hostname, name: box }]\n",
  "other.json": JSON.stringify({
    root: { path: "/srv" },
    process: { args: ["id"] },
    linux: { namespaces: [{ type: "mount" }], resources: { devices: [{ allow: false }] } },
  }),
};

/** Runs a shell script with `ramekin` in it, and returns its output. */
async function shell(cwd: string, script: string): Promise<string> {
  const command = RUN.map((word) => `'${word}'`).join(" ");
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-euc", `ramekin() { ${command} "$@"; }\n${script}`],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assertEquals([code, decode(stderr)], [0, ""], script);
  return decode(stdout);
}

const [bundle, back, service, pod, quadlet] = examples("sh");

test(
  "the examples of a bundle, and of the way back",
  withFiles(FILES, async (cwd) => {
    const [write, run] = bundle!.trim().split("\n");
    // The user namespace in which crun gets no control groups has one user, its root.
    await shell(cwd, root ? write! : write!.replace("-o", "--for=root -o"));
    const here = root
      ? recipe(unshare("mount"), tmpfs("/sys/fs/cgroup"))
      : recipe(unshare("user", "mount"), mapRoot(), tmpfs("/sys/fs/cgroup"));
    const [line, output] = run!.split(" # ");
    const { stdout, stderr } = here.command("sh", {
      args: ["-c", line!.replace("crun", `crun --root ${cwd}/state --cgroup-manager=disabled`)],
      cwd,
      stdin: "null",
    }).outputSync();
    assertEquals([decode(stderr), decode(stdout)], ["", `${output}\n`]);
    assertMatch(await shell(cwd, back!), /^# ramekin run recipe\.yaml .*-- id\nsteps:\n/m);
    assertStringIncludes(Deno.readTextFileSync(`${cwd}/back.yaml`), "name: kitchen\n");
  }),
  without("/usr/bin/crun", "/usr/sbin/crun"),
);

test(
  "the example of a service",
  withFiles(FILES, async (cwd) => {
    await shell(cwd, service!);
    const unit = Deno.readTextFileSync(`${cwd}/units/box.service`);
    assertStringIncludes(unit, "/units/box\nRestart=on-failure\n");
    assertEquals(await shell(cwd, "./units/box"), "box\n");
  }),
);

test(
  "the examples of a pod and of a service of podman",
  withFiles(FILES, async (cwd) => {
    await shell(cwd, pod! + quadlet!.replace("-o", "--for=1000:1000 -o"));
    assertStringIncludes(Deno.readTextFileSync(`${cwd}/pods/pod.pod.yaml`), "hostname: kitchen\n");
    const unit = Deno.readTextFileSync(`${cwd}/quadlets/pod.container`);
    assertStringIncludes(unit, "\nDropCapability=all\nNoNewPrivileges=true\n");
  }),
);
