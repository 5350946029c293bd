/** Devices by the names of vendors, as files describe them. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { withCdiDevices } from "../../cdi/mod.ts";
import { RecipeError, sandbox, type SandboxOptions } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { inDirectory, test } from "../support.ts";

/** Writes files of two directories, and returns the directories. */
function described(directory: string, files: Readonly<Record<string, unknown>>): string[] {
  const directories = ["etc", "run"].map((name) => `${directory}/${name}`);
  for (const path of directories) Deno.mkdirSync(path, { mode: 0o755 });
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    Deno.writeTextFileSync(`${directory}/${name}`, text, { mode: 0o644 });
  }
  return directories;
}

/** A file with the device `kitchen.org/stove=left`. */
function stove(edits: unknown, others: object = {}): object {
  const devices = [{ name: "left", containerEdits: edits }];
  return { cdiVersion: "0.6.0", kind: "kitchen.org/stove", devices, ...others };
}

const LEFT = "kitchen.org/stove=left";
const ZERO = { path: "/dev/stove", hostPath: "/dev/zero" };

/** Returns what a script says in a sandbox with these options. */
function inside(options: SandboxOptions, script: string): string {
  const command = sandbox(options).command("sh", { args: ["-c", script] });
  const { code, stdout, stderr } = command.outputSync();
  assertEquals([code, decode(stderr)], [0, ""]);
  return decode(stdout);
}

test(
  "a device has its nodes, files and variables, and those that its file has for all",
  inDirectory((directory) => {
    Deno.chmodSync(directory, 0o755);
    for (const name of ["salt", "pepper"]) Deno.writeTextFileSync(`${directory}/${name}`, name);
    const directories = described(directory, {
      "etc/stove.yaml": `
cdiVersion: "0.7.0"
kind: kitchen.org/stove
annotations: { cook: anna }
containerEdits:
  env: [STOVE=all, HEAT=low]
  deviceNodes: [{ path: /dev/zero, type: c, major: 1, minor: 5, permissions: rwm }]
  additionalGids: [0]
devices:
- name: left
  containerEdits:
    env: [HEAT=high]
    deviceNodes: [{ path: /dev/stoves/left, hostPath: /dev/zero }]
    mounts:
    - { hostPath: ${directory}/salt, containerPath: ${directory}/salt, options: [ro, nosuid, rbind] }
    - { hostPath: ${directory}/pepper, containerPath: /opt/spice/pepper }
- name: right
  containerEdits: { env: [HEAT=none] }
`,
    });
    const options = withCdiDevices({ net: "none", setEnv: { SPOON: "big" } }, [LEFT], {
      directories,
    });
    const script = `head -c 2 /dev/stoves/left | wc -c; echo $STOVE $HEAT $SPOON
      cat ${directory}/salt /opt/spice/pepper
      (echo > /opt/spice/pepper) 2> /dev/null || echo read-only`;
    assertEquals(inside(options, script), "2\nall high big\nsaltpepperread-only\n");
    const own = withCdiDevices({ setEnv: { HEAT: "mine" } }, [LEFT, "kitchen.org/stove=right"], {
      directories,
    });
    assertEquals(own.setEnv, { STOVE: "all", HEAT: "mine" });
  }),
);

test(
  "what hooks of vendors do is done without them",
  inDirectory((directory) => {
    Deno.chmodSync(directory, 0o755);
    Deno.writeTextFileSync(`${directory}/libsoup.so.1`, "soup");
    Deno.symlinkSync("libsoup.so.1", `${directory}/libsoup.so`);
    const hook = (path: string, ...args: string[]) => ({ hookName: "createContainer", path, args });
    const directories = described(directory, {
      "run/stove.json": stove({
        deviceNodes: [ZERO],
        hooks: [
          hook(
            "/usr/bin/nvidia-cdi-hook",
            "nvidia-cdi-hook",
            "create-symlinks",
            "--link",
            `libsoup.so.1::${directory}/libsoup.so`,
            `--link=${directory}/libsoup.so.1::/usr/lib/ramekin-test/libsoup.so`,
            "--link",
            "../zero::/dev/by-path/stove",
          ),
          hook(
            "/usr/bin/nvidia-ctk",
            "nvidia-ctk",
            "hook",
            "update-ldcache",
            "--folder",
            directory,
          ),
          hook(
            "/x/nvidia-ctk",
            "nvidia-ctk",
            "hook",
            "chmod",
            "--mode",
            "755",
            "--path",
            "/dev/dri",
          ),
          hook("/x/nvidia-cdi-hook", "nvidia-cdi-hook", "enable-cuda-compat", "--any=1"),
        ],
      }),
    });
    const options = withCdiDevices({}, [LEFT], { directories });
    const script = `cat ${directory}/libsoup.so /usr/lib/ramekin-test/libsoup.so
      echo; echo $LD_LIBRARY_PATH; head -c 2 /dev/by-path/stove | wc -c; test -e /usr/bin/env`;
    assertEquals(inside(options, script), `soupsoup\n${directory}\n2\n`);
    const more = withCdiDevices({ setEnv: { LD_LIBRARY_PATH: "/mine" } }, [LEFT], { directories });
    assertEquals(more.setEnv["LD_LIBRARY_PATH"], `/mine:${directory}`);
  }),
);

test(
  "a later directory wins, and two files of one are a conflict",
  inDirectory((directory) => {
    const directories = described(directory, {
      "etc/a.json": stove({ env: ["FROM=etc"] }),
      "etc/b.json": stove({ env: ["FROM=etc, too"] }),
      "run/c.json": stove({ env: ["FROM=run"] }),
      "run/other.txt": "no device",
    });
    const find = () => withCdiDevices({}, [LEFT], { directories });
    assertEquals(find().setEnv, { FROM: "run" });
    Deno.removeSync(`${directory}/run/c.json`);
    const { message } = assertThrows(find, RecipeError);
    assertStringIncludes(message, `${LEFT} is in two files: ${directory}/etc/a.json and`);
  }),
);

/** A hook that makes a link. */
function links(link: string): object {
  const args = ["nvidia-cdi-hook", "create-symlinks", "--link", link];
  return { hookName: "createContainer", path: "/usr/bin/nvidia-cdi-hook", args };
}

/** Edits that cannot be had, and what is said of them. */
const REFUSED: readonly (readonly [edits: object, says: string])[] = [
  [{ deviceNodes: [{ path: "/dev/none-such" }] }, "deviceNodes[0]: /dev/none-such does not exist"],
  [{ deviceNodes: [{ path: "/etc/passwd" }] }, "deviceNodes[0].type: /etc/passwd is no device"],
  [
    { deviceNodes: [{ ...ZERO, type: "b" }] },
    'deviceNodes[0].type: /dev/zero is not of the type "b"',
  ],
  [{ deviceNodes: [{ ...ZERO, major: 1, minor: 3 }] }, "major: /dev/zero is not the device 1:3"],
  [{ deviceNodes: [{ ...ZERO, uid: 7 }] }, "deviceNodes[0].uid: /dev/zero belongs to user"],
  [{ deviceNodes: [{ ...ZERO, gid: 7 }] }, "deviceNodes[0].gid: /dev/zero belongs to group"],
  [{ deviceNodes: [{ ...ZERO, fileMode: 0o600 }] }, "fileMode: /dev/zero has the mode 666"],
  [{ deviceNodes: [{ ...ZERO, permissions: "r" }] }, 'permissions: "r" cannot be kept'],
  [{ mounts: [{ hostPath: "/none", containerPath: "/x" }] }, "mounts[0].hostPath: /none does not"],
  [{ mounts: [{ hostPath: "usr", containerPath: "/x" }] }, 'hostPath: "usr" does not begin with /'],
  [
    { mounts: [{ hostPath: "/usr", containerPath: "/a/../x" }] },
    'containerPath: "/a/../x" has a ".."',
  ],
  [
    { mounts: [{ hostPath: "/usr", containerPath: "/x", type: "tmpfs" }] },
    "mounts[0].type: a file",
  ],
  [
    { mounts: [{ hostPath: "/usr", containerPath: "/x", options: ["noexec"] }] },
    'mounts[0].options[0]: "noexec" is not known',
  ],
  [{ env: ["SOUP"] }, "env[0]: is not of the form NAME=VALUE"],
  [{ hooks: [{ hookName: "poststop", path: "/bin/x" }] }, "the poststop hook /bin/x"],
  [
    {
      hooks: [{ hookName: "createContainer", path: "/x/nvidia-ctk", args: ["a", "hook", "cook"] }],
    },
    "/x/nvidia-ctk hook cook is not known",
  ],
  [{ hooks: [links("/usr::/etc/passwd")] }, "this machine has another file there"],
  [{ hooks: [links("none::/usr/a")] }, "the link /usr/a leads to none, which does not exist"],
  [{ hooks: [links("none:/usr/a")] }, "is not of the form TARGET::/PATH"],
  [{ hooks: [{ ...links("a::/b"), args: ["x", "create-symlinks", "--cook=a"] }] }, "a flag that"],
  [{ deviceNodes: [{ ...ZERO, path: "/dev/shm" }] }, "deviceNodes[0]: "],
  [{ additionalGids: [44] }, "additionalGids[0]: a sandbox can give no group"],
  [{ intelRdt: {} }, "intelRdt: a sandbox has no class of service"],
  [{ netDevices: [{ name: "a" }] }, "netDevices[0]: a sandbox takes no network interface"],
  [{ soup: 1 }, 'devices[0].containerEdits: has the unknown field "soup"'],
  [{ env: "A=B" }, "env: is not a list"],
];

test(
  "what cannot be had is refused, with its file and field",
  inDirectory((directory) => {
    const directories = described(directory, {});
    const file = `${directory}/run/stove.json`;
    const message = (content: string) => {
      Deno.writeTextFileSync(file, content, { mode: 0o644 });
      return assertThrows(() => withCdiDevices({}, [LEFT], { directories }), RecipeError).message;
    };
    for (const [edits, says] of REFUSED) {
      const told = message(JSON.stringify(stove(edits)));
      assertStringIncludes(told, says);
      assertStringIncludes(told, `${file}: devices[0].containerEdits`);
    }
    for (
      const [content, says] of [
        [
          JSON.stringify(stove({}, { cdiVersion: "2.0.0" })),
          'cdiVersion: the version "2.0.0" is not',
        ],
        [JSON.stringify(stove({}, { kind: "stove" })), 'kind: "stove" is not of the form'],
        [JSON.stringify(stove({}, { devices: [] })), "devices: has no device"],
        [JSON.stringify(stove({}, { cook: 1 })), 'has the unknown field "cook"'],
        ["kind: [", "line 1: invalid YAML or JSON"],
        [" ".repeat(1024 * 1024 + 1), "has more than 1048576 bytes"],
        [`a: &a [${"x,".repeat(100_001)}]`, "has too many values"],
      ] as const
    ) assertStringIncludes(message(content), says);
  }),
);

test(
  "a file that others can change is not read, nor one behind a link or a pipe",
  inDirectory((directory) => {
    const directories = described(directory, { "etc/stove.json": stove({}), "away": stove({}) });
    const file = `${directory}/etc/stove.json`;
    const message = () =>
      assertThrows(() => withCdiDevices({}, [LEFT], { directories }), RecipeError).message;
    Deno.chmodSync(file, 0o666);
    assertStringIncludes(message(), `others than its owner can change it; chmod go-w ${file}`);
    Deno.removeSync(file);
    Deno.symlinkSync("../away", file);
    assertStringIncludes(message(), `${file}: is a link`);
    Deno.removeSync(file);
    assertEquals(new Deno.Command("mkfifo", { args: [file] }).outputSync().code, 0);
    assertStringIncludes(message(), `${file}: is no regular file`);
    Deno.chmodSync(`${directory}/etc`, 0o777);
    assertStringIncludes(message(), `${directory}/etc: others than its owner can change it`);
  }),
);

test("names of no device are refused, and so is another root", () => {
  const message = (options: SandboxOptions, name: string) =>
    assertThrows(() => withCdiDevices(options, [name], { directories: [] }), RecipeError).message;
  for (const name of ["stove=left", "kitchen.org/stove", "/dev/x=y", "a.b/c=", "a.b/c/d=e"]) {
    assertStringIncludes(message({}, name), `"${name}" is not of the form`);
  }
  assertStringIncludes(message({ root: "/srv" }, LEFT), '"root" has others');
});
