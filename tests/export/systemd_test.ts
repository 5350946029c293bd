/** Services of systemd: the unit and its box. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { exportSystemd } from "../../export/mod.ts";
import {
  bounds,
  hostname,
  joinCgroup,
  limits,
  mapRoot,
  mount,
  recipe,
  RecipeError,
  unshare,
  userNetwork,
} from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { without } from "./support.ts";

const KITCHEN = [unshare("user", "uts"), mapRoot(), hostname("kitchen")];

test("limits are directives of the unit, and all other steps are in the box", () => {
  const made = recipe(
    ...KITCHEN,
    limits({
      memory: "256m",
      memoryHigh: "unlimited",
      swap: 0,
      cpus: 0.333,
      cpuWeight: 20,
      pids: 100,
      cpuset: "0-1,3",
      io: [{ device: "8:0", readBps: "1m", writeIops: 100 }, { device: "/dev/sda", writeBps: 1 }],
    }),
  );
  const { unit } = exportSystemd(made, {
    program: ["uname", "-n"],
    box: "/srv/100% my/box",
    description: "A 100% kitchen",
    restart: "on-failure",
    user: "nobody",
  });
  assertEquals(
    unit,
    `[Unit]
Description=A 100%% kitchen

[Service]
Type=exec
ExecStart="/srv/100%% my/box"
User=nobody
Restart=on-failure
KillMode=mixed
MemoryMax=268435456
MemoryHigh=infinity
MemorySwapMax=0
CPUQuota=33.3%
CPUWeight=20
TasksMax=100
AllowedCPUs=0-1,3
IOReadBandwidthMax=/dev/block/8:0 1048576
IOWriteIOPSMax=/dev/block/8:0 100
IOWriteBandwidthMax=/dev/sda 1

[Install]
WantedBy=multi-user.target
`,
  );
});

test("systemd has nothing to say against a unit, and its box is the recipe", () => {
  const directory = Deno.realPathSync(Deno.makeTempDirSync());
  try {
    Deno.chmodSync(directory, 0o755);
    const path = `${directory}/my kitchen`;
    const { unit, box } = exportSystemd(
      recipe(
        ...KITCHEN,
        limits({
          memory: "256m",
          cpus: 1.5,
          pids: "unlimited",
          io: [{ device: "8:0", readBps: 5 }],
        }),
        unshare("mount", "cgroup"),
        mount("none", "/mnt", { type: "cgroup2" }),
      ),
      { program: ["uname", "-n"], box: path, restart: "always", user: "daemon" },
    );
    assertStringIncludes(unit, "Delegate=yes\n");
    const plain = exportSystemd(recipe(...KITCHEN), { program: ["uname", "-n"], box: path });
    Deno.writeFileSync(path, plain.box, { mode: 0o755 });
    assertEquals(decode(new Deno.Command(path).outputSync().stdout), "kitchen\n");
    Deno.writeFileSync(path, box);
    Deno.writeTextFileSync(`${directory}/kitchen.service`, unit);
    const { stderr } = new Deno.Command("systemd-analyze", {
      args: ["verify", "--man=no", `${directory}/kitchen.service`],
      stdin: "null",
    }).outputSync();
    assertEquals(decode(stderr), "");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}, without("/usr/bin/systemd-analyze"));

test("what neither a unit nor a box does is refused by its number in the recipe", () => {
  const options = { program: ["true"], box: "/srv/box" } as const;
  const error = assertThrows(
    () =>
      exportSystemd(
        recipe(bounds({ timeout: 100 }), joinCgroup("/sys/fs/cgroup/x"), limits({ cpus: 1 / 3 })),
        options,
      ),
    RecipeError,
  );
  assertEquals(
    error.message.split("\n  ").map((line) => line.split(":")[0]),
    ["step 1 (bounds)", "step 2 (joinCgroup)", "step 3 (limits)"],
  );
  // The limits are no step of the box.
  const late = recipe(unshare("user", "net"), mapRoot(), limits({ pids: 5 }), userNetwork());
  const refused = assertThrows(() => exportSystemd(late, options), RecipeError);
  assertEquals([refused.step, refused.stepIndex], ["userNetwork", 3]);
});

test("options that are none are refused", () => {
  const refused = (says: string, options: object) => {
    const valid = { program: ["true"], box: "/srv/box" } as const;
    assertThrows(() => exportSystemd(recipe(), { ...valid, ...options }), TypeError, says);
  };
  refused('"program"', { program: [] });
  refused('"box"', { box: "box" });
  refused('"box"', { box: "/srv/a;b" });
  refused('"description"', { description: "a\nUser=root" });
  refused('"restart"', { restart: "often" });
  refused('"user"', { user: "root\nGroup=root" });
});
