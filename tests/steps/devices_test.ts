/** `devices`. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  bind,
  devices,
  mapRoot,
  mkdir,
  mount,
  mqueue,
  recipe,
  type SandboxOptions,
  symlink,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { noOtherDevice, otherDevice } from "../other_device.ts";
import { scriptInside } from "../script_inside.ts";
import { assertFails, assertRefused, failing, inside, test, testOn } from "../support.ts";

testOn(["mount"], "every device works, and there are no others", (mounts) => {
  const box = mounts.with(devices());
  const seen = inside(
    box,
    `ls -A /dev | tr '\\n' ' '; echo
    echo soup > /dev/null; cat /dev/null
    head -c 2 /dev/zero | od -An -tx1
    head -c 9 /dev/random | wc -c
    head -c 9 /dev/urandom | wc -c
    stat -c '%t:%T %F' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
    readlink /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/ptmx
    echo stew | cat /dev/stdin
    echo ragout > /dev/stdout`,
  );
  assertEquals(seen.split("\n"), [
    "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero ",
    " 00 00",
    "9",
    "9",
    ...["1:3", "1:5", "1:7", "1:8", "1:9", "5:0"].map((it) => `${it} character special file`),
    "/proc/self/fd",
    "/proc/self/fd/0",
    "/proc/self/fd/1",
    "/proc/self/fd/2",
    "pts/ptmx",
    "stew",
    "ragout",
  ]);
  assertMatch(failing(box, "head -c 1 /dev/zero > /dev/full"), /No space left/);
});

testOn(["mount"], "shared memory is the container's own, and for everyone", (mounts) => {
  const seen = inside(
    mounts.with(devices()),
    "ls -A /dev/shm; stat -c %a /dev/shm; touch /dev/shm/a",
  );
  assertEquals(seen, "1777");
});

testOn(["mount"], "terminals are the container's own, and can be opened", (mounts) => {
  const box = mounts.with(devices());
  assertEquals(inside(box, "ls /dev/pts"), "ptmx");
  assertEquals(
    inside(box, "script -qec 'tty; test -t 0' /dev/null < /dev/null").trim(),
    "/dev/pts/0",
  );
});

testOn(["mount"], "the directories of the mounts are without setuid and programs", (mounts) => {
  const lines = inside(mounts.with(devices()), "grep -E ' /dev(/pts|/shm)? ' /proc/self/mountinfo");
  const own = lines.split("\n").slice(-3);
  for (const line of own) assertMatch(line, / rw,nosuid,noexec/);
});

testOn(["mount", "ipc"], "more can be mounted in it, and it can lie elsewhere", (mounts) => {
  const box = mounts.with(devices(), mqueue(), tmpfs("/mnt"), devices("/mnt/dev"));
  assertEquals(
    inside(box, "ls -d /dev/mqueue; echo soup > /mnt/dev/null; ls /mnt/dev/pts"),
    "/dev/mqueue\nptmx",
  );
});

test("devices can be bound again from a container's own", () => {
  const box = recipe(unshare("user", "mount"), mapRoot(), devices(), devices());
  assertEquals(inside(box, "head -c 1 /dev/zero | wc -c"), "1");
});

test("devices on the host, or with an invalid target, are refused", () => {
  assertRefused(() => recipe(unshare("user"), devices()), {
    step: "devices",
    at: 1,
    says: 'put unshare("mount") before it',
  });
  assertRefused(() => recipe(unshare("user", "mount"), devices("dev")), {
    step: "devices",
    at: 1,
    says: "has to begin with /",
  });
  assertFails(recipe(unshare("user", "mount"), mapRoot(), devices("/no/such/directory")), {
    step: "devices",
    at: 2,
    code: "ENOENT",
    says: "does not exist",
  });
});

test("missing devices of the host are reported", () => {
  const box = recipe(
    unshare("user", "mount"),
    mapRoot(),
    mount("none", "/dev", { type: "tmpfs" }),
    devices(),
  );
  assertFails(box, {
    step: "devices",
    at: 3,
    code: "ENOENT",
    says: "missing at this step",
  });
});

/** A machine whose /dev has these too: harmless devices under other names. */
function machineWith(...names: readonly string[]) {
  const made = names.map((name) => bind("/dev/zero", `/dev/${name}`, { make: true }));
  return recipe(unshare("user", "mount"), mapRoot(), devices()).with(...made);
}

/** What sandboxes with these options have in /dev that others have not, or the error of each. */
function further(
  machine: ReturnType<typeof machineWith>,
  ...options: readonly SandboxOptions[]
): unknown {
  return scriptInside(
    machine,
    `const names = async (options) => {
      const list = "for file in $(find /dev); do if test -c $file; then echo $file; fi; done";
      const box = ramekin.sandbox(options).command("sh", { args: ["-c", list] });
      return new TextDecoder().decode((await box.output()).stdout).trim().split("\\n");
    };
    const usual = await names({});
    const seen = ${JSON.stringify(options)}.map(async (each) => {
      const more = await names(each).catch((error) => [error.message]);
      return more.filter((name) => !usual.includes(name)).sort();
    });
    console.log(JSON.stringify(await Promise.all(seen)));`,
  );
}

test("further devices of the host are those that are named, or lie in a directory", () => {
  const machine = machineWith("stove", "kitchen/pot").with(
    mkdir("/dev/kitchen/cellar"),
    symlink("../zero", "/dev/kitchen/link"),
    writeFile("/dev/kitchen/recipe", "soup"),
    symlink("/etc/passwd", "/dev/way-out"),
  );
  const seen = further(
    machine,
    { devices: ["/dev/stove"] },
    { devices: ["/dev/kitchen", "/dev/zero"] },
    { devices: ["/dev/oven"] },
    { devices: ["/dev/way-out"] },
    { devices: ["/dev/kitchen/cellar"] },
  );
  const step = "step 15 (devices): ";
  assertEquals(seen, [
    ["/dev/stove"],
    ["/dev/kitchen/link", "/dev/kitchen/pot"],
    [`${step}/dev/oven does not exist; its driver may not be loaded (lsmod, modprobe)`],
    [`${step}/dev/way-out is a file, and no device`],
    [`${step}the directory /dev/kitchen/cellar has no devices in it`],
  ]);
});

test("graphics processors have the devices that their programs need", () => {
  const machine = machineWith(
    ...["nvidiactl", "nvidia0", "nvidia1", "nvidia-uvm", "nvidia-modeset"],
    ...["dri/card0", "dri/renderD128"],
  );
  const shared = ["/dev/nvidia-uvm", "/dev/nvidiactl"];
  assertEquals(further(machine, { gpus: "all" }, { gpus: [1] }, { gpus: [2] }), [
    ["/dev/dri/renderD128", ...shared, "/dev/nvidia0", "/dev/nvidia1"].sort(),
    ["/dev/nvidia1", ...shared].sort(),
    ["step 15 (devices): /dev/nvidia2 does not exist; this machine has /dev/nvidia0, /dev/nvidia1"],
  ]);
});

test("a graphics processor without what it needs is told, where programs would give a number", () => {
  const [[issue], both] = further(
    machineWith("nvidia0", "nvidiactl", "nvidia-uvm"),
    { devices: ["/dev/nvidia0", "/dev/nvidiactl"] },
    { devices: ["/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"] },
  ) as [[string], string[]];
  assertEquals(
    issue,
    "step 15 (devices): /dev/nvidia0 needs /dev/nvidia-uvm beside it, as CUDA fails without it " +
      "(cuInit: 999 or 100); name that too, or take all of them: { gpus: [0] }",
  );
  assertEquals(both, ["/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl"]);
  assertEquals(further(machineWith("nvidia0", "nvidiactl"), { gpus: [0] }), [[
    "step 15 (devices): /dev/nvidia-uvm does not exist, and CUDA fails without it (cuInit: 999 or " +
    "100); nvidia-modprobe -u -c 0 makes it",
  ]]);
  assertEquals(further(machineWith(), { gpus: "all" }, { gpus: [0] }), [
    [
      "step 15 (devices): this machine has no graphics processor: no /dev/nvidia0 and no " +
      "/dev/dri/renderD128",
    ],
    ["step 15 (devices): /dev/nvidia0 does not exist; this machine has none of NVIDIA"],
  ]);
});

test("a further device is shown, and nobody changes its mode", () => {
  const device = otherDevice!;
  const box = recipe(unshare("user", "mount"), mapRoot(), devices("/dev", { extra: [device] }));
  const script = `test -c ${device}; chmod 777 ${device} 2>&1 || true`;
  assertMatch(inside(box, script), /^chmod: .*(Read-only file system|Operation not permitted)$/);
  const needs = box.command("true").needs();
  assertEquals(needs.some((need) => need.kind === "device" && need.path === device), true);
}, noOtherDevice);

test("a device can have another name", () => {
  const box = (source: string, name: string) =>
    recipe(unshare("user", "mount"), mapRoot(), devices("/dev", { extra: [[source, name]] }));
  assertEquals(inside(box("/dev/zero", "/dev/a/b"), "head -c 1 /dev/a/b | wc -c"), "1");
  const shown = { step: "devices", at: 2 };
  assertRefused(() => box("/dev/pts", "/dev/a"), {
    ...shown,
    says: "there is a /dev/pts of its own",
  });
  assertRefused(() => box("/dev/zero", "/etc/a"), { ...shown, says: "is not in /dev" });
});

test("paths that cannot be further devices are refused", () => {
  for (
    const [path, says] of Object.entries({
      "/etc/passwd": "is not in /dev",
      "/dev": "is not in /dev",
      "/dev/pts/0": "there is a /dev/pts of its own",
      "/dev/shm": "there is a /dev/shm of its own",
    })
  ) {
    assertRefused(() => recipe(devices("/dev", { extra: [path] })), {
      step: "devices",
      at: 0,
      says,
    });
  }
});
