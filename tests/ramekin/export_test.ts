/** `ramekin export` and `ramekin import`. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { RAMEKIN, ramekinWith, withFiles } from "./support.ts";

const FILES = {
  "box.yaml": `steps:
  - { step: unshare, kinds: [user, mount, pid, uts] }
  - step: mapRoot
  - { step: hostname, name: kitchen }
  - { step: root, directory: /srv/root, hosts: { db: 10.0.0.1 } }
  - step: clearEnv
`,
  "small.yaml": `steps:
  - { step: unshare, kinds: [user, mount, pid] }
  - step: mapRoot
  - { step: tmpfs, target: /proc }
  - { step: symlink, target: usr/bin, path: /proc/bin }
  - { step: bind, source: /usr, target: /proc/usr, readOnly: true }
  - { step: devices, target: /proc/dev }
  - { step: proc, target: /proc/proc }
  - { step: pivotRoot, path: /proc }
  - { step: remount, target: /, options: ro }
  - step: clearEnv
`,
  "unit.yaml": `steps:
  - { step: unshare, kinds: [user, uts] }
  - step: mapRoot
  - { step: hostname, name: kitchen }
  - { step: limits, memory: 64m }
`,
  "pod.yaml": `steps:
  - { step: unshare, kinds: [user, mount, pid, uts, ipc, net] }
  - step: mapRoot
  - { step: hostname, name: kitchen }
  - { step: root, directory: /srv/root, discard: true }
  - step: clearEnv
  - { step: setEnv, variables: { A: "yes" } }
  - { step: seccomp, deny: ["@ipc"] }
`,
  "init.yaml": "steps:\n  - step: clearEnv\n  - step: init\n",
};

const inKitchen = (body: (directory: string) => Promise<void>) => withFiles(FILES, body);

/** Runs the program without the permission to make calls. */
async function withoutCalls(cwd: string, ...words: string[]): Promise<readonly [number, string]> {
  const flags = ["--no-check", "--no-prompt", "--quiet", "--allow-read", `--allow-write=${cwd}`];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, RAMEKIN, ...words],
    cwd,
    stdin: "null",
  }).output();
  return [code, decode(stdout) + decode(stderr)];
}

test(
  "a bundle is written without the permission to make calls, imported, and written again",
  inKitchen(async (cwd) => {
    const words = ["--for=1000:1000", "--", "/bin/sh", "-c", "echo 'a dish'\nid"];
    const written = await withoutCalls(cwd, "export", "oci", "box.yaml", "-o", "one", ...words);
    assertEquals(written, [0, ""]);
    const config = JSON.parse(Deno.readTextFileSync(`${cwd}/one/config.json`));
    assertEquals(config.linux.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
    assertEquals(config.process.args, words.slice(2));
    const hosts = config.mounts.find(({ destination }: { destination: string }) =>
      destination === "/etc/hosts"
    );
    assertStringIncludes(Deno.readTextFileSync(hosts.source), "10.0.0.1 db\n");
    assertEquals(
      await withoutCalls(cwd, "import", "one/config.json", "-o", "back.yaml"),
      [0, ""],
    );
    const [first] = Deno.readTextFileSync(`${cwd}/back.yaml`).split("\n");
    assertEquals(
      first,
      "# ramekin run back.yaml -- /bin/sh -c $'echo \\x27a dish\\x27\\x0aid'",
    );
    await withoutCalls(cwd, "export", "oci", "back.yaml", "-o", "two", ...words);
    assertEquals(JSON.parse(Deno.readTextFileSync(`${cwd}/two/config.json`)), config);
    const [code, text] = await withoutCalls(
      cwd,
      "export",
      "oci",
      "box.yaml",
      "-o",
      "two",
      ...words,
    );
    assertEquals(code, 2);
    assertStringIncludes(text, "files are there already");
  }),
);

test(
  "the command writes as it is installed, for its caller",
  inKitchen(async (cwd) => {
    const words = ["export", "oci", "small.yaml", "-o", "made", "--", "/bin/id"];
    assertEquals((await ramekinWith({ cwd }, ...words)).stderr, "");
    assertEquals(Deno.readLinkSync(`${cwd}/made/rootfs/bin`), "usr/bin");
    const { linux } = JSON.parse(Deno.readTextFileSync(`${cwd}/made/config.json`));
    assertEquals(linux.uidMappings[0].hostID, Deno.uid());
    const unit = [
      "export",
      "systemd",
      "unit.yaml",
      "-o",
      "units",
      "--restart=always",
      "--json",
      "--",
    ];
    const written = await ramekinWith({ cwd }, ...unit, "uname", "-n");
    const files = ["unit.service", "unit"].map((name) => `${cwd}/units/${name}`);
    assertEquals(JSON.parse(written.stdout), { format: "systemd", files });
    const imported = await ramekinWith({ cwd }, "import", "made/config.json", "--json");
    assertEquals(JSON.parse(imported.stdout).program, ["/bin/id"]);
    const text = Deno.readTextFileSync(`${cwd}/units/unit.service`);
    assertStringIncludes(text, `/units/unit\nRestart=always\n`);
    assertStringIncludes(text, "MemoryMax=67108864\n");
    const { stdout } = await new Deno.Command(`${cwd}/units/unit`).output();
    assertEquals(decode(stdout), "kitchen\n");
  }),
);

test(
  "a pod and a service of podman are written without the permission to make calls",
  inKitchen(async (cwd) => {
    const words = ["--image=kitchen:1", "--", "/bin/id", "-u"];
    const kubernetes = ["export", "kubernetes", "pod.yaml"];
    const job = ["--kind=job", "--name=soup", "-o", "made", "--json"];
    const [code, text] = await withoutCalls(cwd, ...kubernetes, ...job, ...words);
    assertEquals(code, 0, text);
    const files = ["pod.job.yaml", "pod.seccomp.json"].map((name) => `${cwd}/made/${name}`);
    assertEquals(JSON.parse(text), { format: "kubernetes", files });
    const yaml = Deno.readTextFileSync(files[0]!);
    assertStringIncludes(yaml, "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: soup\n");
    assertStringIncludes(yaml, "- name: A\n              value: 'yes'\n");
    assertStringIncludes(yaml, "localhostProfile: ramekin/soup.json\n");
    assertStringIncludes(yaml, "\n---\napiVersion: networking.k8s.io/v1\n");
    assertEquals(JSON.parse(Deno.readTextFileSync(files[1]!)).defaultAction, "SCMP_ACT_ERRNO");
    const podman = ["export", "podman", "pod.yaml", "--for=1000:1000", "-o=made", "--oneshot"];
    assertEquals(await withoutCalls(cwd, ...podman, ...words), [0, ""]);
    const unit = Deno.readTextFileSync(`${cwd}/made/pod.container`);
    assertStringIncludes(unit, "[Container]\nImage=kitchen:1\nExec=/bin/id -u\nHostName=kitchen\n");
    assertStringIncludes(unit, `\nSeccompProfile=${cwd}/made/pod.seccomp.json\n`);
    assertStringIncludes(unit, "\n[Service]\nType=oneshot\nTimeoutStartSec=900\n");
  }),
);

test(
  "what cannot be written is told with the place, and nothing is written",
  inKitchen(async (cwd) => {
    const refused = async (status: number, says: string, ...words: string[]) => {
      const [code, text] = await withoutCalls(cwd, "export", ...words);
      assertEquals(code, status, text);
      assertStringIncludes(text, says);
    };
    const init = ["oci", "init.yaml", "-o", "made", "--for=root"];
    await refused(1, "init.yaml:3:5: step 2 (init): the program itself is", ...init, "--", "id");
    await refused(
      2,
      "the program is missing: ramekin export oci init.yaml ... -- PROGRAM",
      ...init,
    );
    await refused(
      2,
      '"docker"; there are kubernetes, oci, podman and systemd',
      "docker",
      "box.yaml",
      "--",
      "id",
    );
    await refused(2, "-o=- is for kubernetes", "podman", "box.yaml", "-o=-", "--", "id");
    await refused(2, "--for=UID:GID is missing", "oci", "box.yaml", "-o=a", "--", "id");
    await refused(2, "--restart is not for oci", ...init, "--restart=no", "--", "id");
    const pod = ["kubernetes", "box.yaml", "-o", "made"];
    await refused(2, "--image=IMAGE is missing", ...pod, "--", "id");
    pod.push("--image=kitchen");
    await refused(2, "--kind=pods: it is pod, job, deployment", ...pod, "--kind=pods", "--", "id");
    await refused(
      2,
      "--restart is always for",
      ...pod,
      "--kind=deployment",
      "--restart=no",
      "--",
      "id",
    );
    await refused(1, "box.yaml:5:5: step 4 (root): the changes of a pod", ...pod, "--", "id");
    const unit = ["systemd", "unit.yaml", "-o", "made", "--restart=alwys", "--", "id"];
    await refused(2, "--restart=alwys: it is no, on-success, on-failure,", ...unit);
    assertEquals(
      [...Deno.readDirSync(cwd)].map(({ name }) => name).sort(),
      Object.keys(FILES).sort(),
    );
    Deno.writeTextFileSync(`${cwd}/config.json`, '{ "hooks": { "poststop": [{ "path": "/x" }] } }');
    const [code, text] = await withoutCalls(cwd, "import", "config.json");
    assertEquals([code, text], [1, "ramekin: config.json: hooks: no step says it\n"]);
    Deno.writeTextFileSync(`${cwd}/config.json`, "[");
    assertStringIncludes(
      (await withoutCalls(cwd, "import", "config.json"))[1],
      "is no config.json",
    );
  }),
);
