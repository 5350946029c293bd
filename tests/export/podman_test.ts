/** Recipes as services of podman: the unit, what quadlet makes of it, and the container that it runs. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { exportPodman, type PodmanOptions } from "../../export/mod.ts";
import {
  bind,
  bounds,
  capabilities,
  chdir,
  clearEnv,
  hostname,
  limits,
  mapCurrentUser,
  mapIds,
  mapRoot,
  noNewPrivileges,
  overlay,
  pivotRoot,
  recipe,
  RecipeError,
  root,
  seccomp,
  setEnv,
  setUser,
  type Step,
  tmpfs,
  umask,
  unshare,
} from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { noPodman, withPodman } from "./podman_lab.ts";
import { isThere, withRoot } from "./support.ts";

const QUADLET = ["/usr/libexec/podman/quadlet", "/usr/lib/podman/quadlet"].find(isThere);
const ALL = unshare("user", "mount", "pid", "uts", "ipc", "net", "cgroup");

/** The keys of a container and their options, as podman-systemd.unit(5) of podman 5 lists them. */
const KEYS: Readonly<Record<string, (value: string) => string>> = {
  AddCapability: (value) => value.split(" ").map((one) => `--cap-add=${one}`).join(" "),
  AddDevice: (value) => `--device ${value}`,
  DropCapability: (value) => `--cap-drop=${value}`,
  Environment: (value) => `--env ${value}`,
  Group: () => "",
  HostName: (value) => `--hostname ${value}`,
  Network: (value) => `--network=${value}`,
  NoNewPrivileges: (value) => value === "true" ? "--security-opt=no-new-privileges" : "",
  PodmanArgs: (value) => value,
  ReadOnly: (value) => value === "true" ? "--read-only" : "",
  RunInit: (value) => value === "true" ? "--init" : "",
  SeccompProfile: (value) => `--security-opt=seccomp=${value}`,
  Sysctl: (value) => `--sysctl=${value}`,
  Tmpfs: (value) => `--tmpfs ${value}`,
  User: (value) => `--user=${value}`,
  Volume: (value) => `--volume ${value}`,
};

/** The command line of a unit, for the shell: what the generator makes of it, by the manual. */
function commandLine(unit: string): string {
  const section = unit.slice(unit.indexOf("[Container]"), unit.indexOf("\n\n[Service]"));
  const lines = section.split("\n").slice(1).map((line) => {
    const end = line.indexOf("=");
    return [line.slice(0, end), line.slice(end + 1)] as const;
  });
  const value = (name: string) => lines.find(([key]) => key === name)?.[1];
  const options = lines.filter(([key]) => !["Exec", "Image", "Rootfs"].includes(key))
    .map(([key, text]) => {
      assert(key in KEYS, `the manual has no key ${key}`);
      return key === "User" ? `--user=${text}:${value("Group")}` : KEYS[key]!(text);
    });
  const rootfs = value("Rootfs");
  const container = rootfs === undefined ? value("Image") : `--rootfs ${rootfs}`;
  // In the double quotes of systemd, % and $ stand for themselves when they are doubled, and \n is
  // a new line.
  return `podman run --rm ${options.join(" ")} ${container} ${value("Exec")}`
    .replaceAll("%%", "%").replaceAll("$$", "\\$").replaceAll("\\n", "\n");
}

test("a recipe is a unit, whose service has the limits", () => {
  const made = recipe(
    ALL,
    mapRoot(),
    root("/srv/my kitchen", { discard: true, resolvConf: true, hosts: { db: "10.0.0.2" } }),
    hostname("kitchen"),
    clearEnv(),
    setEnv({ DISH: "a 100% $soup" }),
    limits({ memory: "64m" }),
    bounds({ pids: 20 }),
    chdir("/tmp"),
  );
  const { unit, seccomp: filter } = exportPodman(made, {
    program: ["/bin/sh", "-c", 'echo "$DISH"\n'],
    for: { uid: 1000, gid: 1000 },
    description: "A 100% kitchen",
    restart: "on-failure",
    oneshot: true,
  });
  assertEquals(filter, undefined);
  assertEquals(
    unit,
    String.raw`[Unit]
Description=A 100%% kitchen

[Container]
Rootfs="/srv/my kitchen:O"
Exec=/bin/sh -c "echo \"$$DISH\"\n"
HostName=kitchen
Network=none
PodmanArgs=--cgroupns=private
PodmanArgs=--ipc=private
PodmanArgs=--pid=private
PodmanArgs=--uts=private
PodmanArgs=--uidmap=0:0:1
PodmanArgs=--gidmap=0:0:1
PodmanArgs=--add-host=db:10.0.0.2
User=0
Group=0
AddCapability=all
NoNewPrivileges=false
ReadOnly=false
PodmanArgs=--pids-limit=20
PodmanArgs=--workdir=/tmp
PodmanArgs=--http-proxy=false
PodmanArgs=--unsetenv-all
Environment="DISH=a 100%% $$soup"
Tmpfs=/tmp:rw,exec,nosuid,nodev,mode=1777,notmpcopyup
SeccompProfile=unconfined

[Service]
Type=oneshot
Restart=on-failure
MemoryMax=67108864

[Install]
WantedBy=default.target
`,
  );
});

test("ids are those of who runs podman", () => {
  const ids = (steps: readonly Step[], runner: PodmanOptions["for"]) => {
    const made = recipe(ALL, ...steps, root("/srv"), clearEnv(), noNewPrivileges());
    const { unit } = exportPodman(made, { program: ["/bin/id"], for: runner! });
    return unit.split("\n").filter((line) => /map=|^(User|Group)=/.test(line))
      .map((line) => line.replace("PodmanArgs=--", ""));
  };
  const user = { uid: 1000, gid: 100 };
  assertEquals(ids([mapCurrentUser()], user), [
    "uidmap=1000:0:1",
    "gidmap=100:0:1",
    "User=1000",
    "Group=100",
  ]);
  const one = (inside: number, outside: number, count = 1) => [{ inside, outside, count }];
  assertEquals(ids([mapIds({ uids: one(0, 5000, 10), gids: one(0, 6000, 10) })], "root"), [
    "uidmap=0:5000:10",
    "gidmap=0:6000:10",
    "User=0",
    "Group=0",
  ]);
  assertEquals(ids([mapIds({ uids: one(7, 1000), gids: one(8, 100) })], user), [
    "uidmap=7:0:1",
    "gidmap=8:0:1",
    "User=7",
    "Group=8",
  ]);
  assertThrows(
    () => ids([mapIds({ uids: one(0, 5000), gids: one(0, 6000) })], user),
    RecipeError,
    "step 2 (mapIds): podman of an ordinary user",
  );
});

test("what a container of podman cannot be is refused, by the steps or by what the recipe lacks", () => {
  const refused = (steps: readonly Step[], says: readonly string[], options: object = {}) => {
    const error = assertThrows(
      () => exportPodman(recipe(...steps), { program: ["/bin/id"], ...options }),
      RecipeError,
    );
    const lines = error.message.split("\n").map((line) => line.trim());
    assertEquals(lines.map((line, at) => line.includes(says[at]!) ? says[at] : line), [...says]);
  };
  refused([], ["a mount namespace", "a root of its own", "never has its caller's variables"]);
  const image = [unshare("mount"), tmpfs("/mnt"), pivotRoot("/mnt"), clearEnv()];
  refused(image, ["give an image"]);
  refused(image, ["by the container's PATH"], { image: "kitchen", program: ["id"] });
  refused([...image, seccomp()], ["say where that will be"], { image: "kitchen" });
  refused([...image, noNewPrivileges()], ["it takes root to run it"], {
    image: "kitchen",
    for: { uid: 5, gid: 5 },
  });
  const inside = [unshare("mount"), bind("/srv", "/mnt")];
  const rest = [pivotRoot("/mnt"), clearEnv()];
  refused([...inside, bind("/usr", "/mnt/usr", { readOnly: true }), ...rest], [
    '"recursive: false"',
  ]);
  refused([...inside, overlay("/mnt/o", { lower: ["/a", "/b"] }), ...rest], [
    "merges one directory",
  ]);
  refused([...inside, tmpfs("/mnt/t", { options: "huge=always" }), ...rest], ['"huge=always"']);
  refused([...inside, tmpfs("/mnt/t"), tmpfs("/mnt/t"), ...rest], [
    "step 4 (tmpfs): podman mounts once",
  ]);
  refused([...inside, ...rest, setUser({ uid: 5 })], ["step 5 (setUser): podman gives a user"]);
  refused([...inside, ...rest, bounds({ timeout: 1 })], ["whole seconds, and not 1 ms"]);
});

test("options that are none are refused", () => {
  const refused = (says: string, options: Record<string, unknown>) => {
    const given = { program: ["/bin/id"], ...options } as unknown as PodmanOptions;
    assertThrows(() => exportPodman(recipe(), given), TypeError, says);
  };
  refused('"program"', { program: [] });
  refused('"image"', { image: "two words" });
  refused('"seccompProfile"', { seccompProfile: "filter.json" });
  refused('"description"', { description: "a\n[Service]" });
  refused('"restart"', { restart: "often" });
  refused('"restart"', { restart: "always", oneshot: true });
});

/** A recipe that uses all kinds of keys, and the program that looks at them. */
function kitchen(directory: string) {
  const steps = [
    ALL,
    mapRoot(),
    root(`${directory}/root`, {
      readOnly: true,
      volumes: {
        "/mnt": { source: `${directory}/data`, readOnly: true },
        "/tmp/my $1 100%": { source: `${directory}/data` },
      },
    }),
    hostname("kitchen"),
    clearEnv(),
    setEnv({ PATH: "/bin", DISH: 'a 100% "$HOME" soup' }),
    seccomp(),
    capabilities({ keep: ["CAP_CHOWN"] }),
    umask(0o027),
    chdir("/tmp"),
  ];
  const script = [
    "hostname; pwd; umask; id -u",
    'echo "$DISH"',
    "grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status",
    "cat /mnt/dish; cat '/tmp/my $1 100%/dish'; echo > /mnt/x; echo > /bin/x; echo > kept; ls",
    "env | sort | grep -vE '^(HOME|HOSTNAME|SHLVL|TERM|container)='",
    "exit 3",
  ].join("\n");
  return exportPodman(recipe(...steps), {
    program: ["sh", "-c", script],
    seccompProfile: `${directory}/filter.json`,
  });
}

test(
  "podman runs the container of a unit, whose program sees what the steps say",
  withRoot((directory) => {
    Deno.mkdirSync(`${directory}/data`);
    Deno.writeTextFileSync(`${directory}/data/dish`, "soup\n");
    const { unit, seccomp: filter } = kitchen(directory);
    Deno.writeTextFileSync(`${directory}/filter.json`, JSON.stringify(filter));
    const output = withPodman(directory, `${commandLine(unit)} 2>&1 || echo $?`);
    assertEquals(output.split("\n"), [
      "kitchen",
      "/tmp",
      "0027",
      "0",
      'a 100% "$HOME" soup',
      "CapBnd:\t0000000000000001",
      "NoNewPrivs:\t1",
      "Seccomp:\t2",
      "soup",
      "soup",
      "sh: can't create /mnt/x: Read-only file system",
      "sh: can't create /bin/x: Read-only file system",
      "kept",
      "my $1 100%",
      'DISH=a 100% "$HOME" soup',
      "PATH=/bin",
      "PWD=/tmp",
      "3",
      "",
    ]);
  }),
  noPodman,
);

test(
  "quadlet makes a service of a unit, and has nothing to say against it",
  withRoot((directory) => {
    Deno.mkdirSync(`${directory}/units`);
    Deno.writeTextFileSync(`${directory}/units/kitchen.container`, kitchen(directory).unit);
    const { code, stdout, stderr } = new Deno.Command(QUADLET!, {
      args: ["-dryrun"],
      env: { QUADLET_UNIT_DIRS: `${directory}/units` },
      stdin: "null",
    }).outputSync();
    const said = decode(stderr).split("\n").filter((line) =>
      !/Loading source unit file|^$/.test(line)
    );
    assertEquals([code, said], [0, []]);
    assert(decode(stdout).includes(`--rootfs ${directory}/root sh -c "hostname`));
  }),
  QUADLET === undefined ? "needs quadlet (podman 4.4)" : undefined,
);
