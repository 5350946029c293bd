/** Programs of images in containers: the root, the user, the environment, what is kept and what is not. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  collectGarbage,
  commit,
  type Image,
  pull,
  removeImages,
  type RunOptions,
  storedImage,
} from "../../images/mod.ts";
import { resolveInImage } from "../../images/run/resolve.ts";
import { findUser } from "../../images/run/users.ts";
import { mapRoot, recipe, RecipeError, unshare } from "../../mod.ts";
import { subordinateIds } from "../../images/layer/mod.ts";
import { root, test } from "../support.ts";
import { without } from "./programs.ts";
import { BUSYBOX, type MadeOptions, makeImage, systemFiles, writeLayout } from "./made_image.ts";
import { assertImageError, inDirectory } from "./support.ts";

/** A test with an image of busybox. */
function withImage(
  name: string,
  options: MadeOptions,
  body: (image: Image, directory: string) => Promise<void>,
): void {
  const skip = BUSYBOX === undefined ? "needs a static busybox (busybox-static)" : undefined;
  inDirectory(name, async (directory) => {
    const layout = `${directory}/layout`;
    writeLayout(layout, { tag: makeImage({ layers: [systemFiles()], ...options }) });
    await using image = await pull(`oci:${layout}:tag`, {
      store: `${directory}/store`,
      name: "tool:1",
    });
    await body(image, directory);
  }, skip);
}

/** The output of a script in a container of the image. */
async function inside(image: Image, script: string, options: RunOptions = {}): Promise<string> {
  const command = await image.command(["sh", "-euc", script], options);
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout).trimEnd();
}

const COOK = { User: "cook", Env: ["DISH=soup"], WorkingDir: "/home/cook/pots" };

withImage("a program runs as its image says", { config: COOK }, async (image) => {
  const script = "id -u; id -g; pwd; echo $HOME $DISH; hostname; cat /etc/hostname; echo $PATH";
  assertEquals((await inside(image, script)).split("\n"), [
    "1234",
    "1234",
    "/home/cook/pots",
    "/home/cook soup",
    "image",
    "image",
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ]);
  const other = { user: "0", cwd: "/tmp", env: { DISH: "stew" }, hostname: "kitchen" };
  assertEquals(
    await inside(image, "id -u; pwd; echo $HOME $DISH; hostname; cat /etc/hosts", other),
    "0\n/tmp\n/root stew\nkitchen\n127.0.0.1 localhost kitchen\n::1 localhost ip6-localhost ip6-loopback",
  );
  await assertImageError(
    () => image.command(["sh"], { user: "waiter" }),
    "not-found",
    `the image knows no user "waiter"`,
    "it knows root, cook; or a number",
  );
});

withImage("the entry point gets the arguments", {
  config: { Entrypoint: ["echo", "a"], Cmd: ["b"] },
}, async (image) => {
  const output = async (...parameters: Parameters<Image["command"]>) =>
    new TextDecoder().decode((await (await image.command(...parameters)).output()).stdout);
  assertEquals(await output(), "a b\n");
  assertEquals(await output(["c", "d"]), "a c d\n");
  assertEquals(await output([], { entrypoint: ["echo", "x"] }), "x\n");
});

withImage("changes are thrown away, kept, or refused", {}, async (image, directory) => {
  const script = "test ! -e /etc/new; touch /etc/new /bin/x; rm /etc/group; ls /etc";
  const listed = "hostname\nhosts\nnew\npasswd\nresolv.conf";
  for (let round = 0; round < 2; round++) assertEquals(await inside(image, script), listed);
  const persistent = `${directory}/kept`;
  assertEquals(await inside(image, script, { persistent }), listed);
  assertEquals(await inside(image, "ls /etc", { persistent }), listed);
  const stays =
    "touch /etc/new 2>/dev/null && exit 1; touch /home/cook/x 2>/dev/null && exit 1; ls /etc";
  assertEquals(
    await inside(image, stays, { readOnly: true }),
    "group\nhostname\nhosts\npasswd\nresolv.conf",
  );
});

withImage("changes are kept where no other user gets at them", {}, async (image, directory) => {
  const persistent = `${directory}/kept`;
  Deno.mkdirSync(persistent);
  for (const mode of [0o755, 0o711, 0o770]) {
    Deno.chmodSync(persistent, mode);
    await assertImageError(
      () => image.command(["sh"], { persistent }),
      "invalid",
      "is open to other users",
      "chmod 700",
    );
  }
  Deno.chmodSync(persistent, 0o700);
  assertEquals(await inside(image, "echo kept", { persistent }), "kept");
});

withImage("changes cannot be kept and impossible at once", {}, async (image) => {
  for (const options of [{ persistent: "/x", readOnly: true }, { discard: false }]) {
    await assertImageError(() => image.command(["sh"], options), "invalid", "changes are either");
  }
});

withImage("volumes are shown, and declared ones can be written to", {
  config: { Volumes: { "/home/cook": {}, "/data/deep": {} } },
}, async (image, directory) => {
  Deno.writeTextFileSync(`${directory}/recipe`, "salt");
  Deno.chmodSync(directory, 0o755);
  const volumes = {
    "/shown": { source: directory, readOnly: true },
    "/etc/recipe": { source: `${directory}/recipe` },
  };
  const script = "cat /shown/recipe /etc/recipe; touch /shown/x 2>/dev/null && exit 1; " +
    "touch /home/cook/x /data/deep/y; ls /home/cook /data/deep";
  const text = await inside(image, script, { volumes, readOnly: true });
  assertEquals(text, "saltsalt/data/deep:\ny\n\n/home/cook:\nx");
  await assertImageError(
    () => image.command(["sh"], { volumes: { "data": { source: "/tmp" } } }),
    "invalid",
    "paths that begin with /",
  );
});

withImage(
  "a volume leads over no link that a program has left in another",
  {},
  async (image, directory) => {
    for (const name of ["work/cache", "secret"]) {
      Deno.mkdirSync(`${directory}/${name}`, { recursive: true });
    }
    Deno.chmodSync(`${directory}/work`, 0o777);
    Deno.writeTextFileSync(`${directory}/secret/x`, "secret");
    const volumes = {
      "/work": { source: `${directory}/work` },
      "/cache": { source: `${directory}/work/cache` },
    };
    // The mount of the second volume is not on the way.
    const first = { "/work": volumes["/work"] };
    await inside(image, "rm -r /work/cache; busybox ln -s ../secret /work/cache", {
      volumes: first,
    });
    const look = async () => await inside(image, "cat /cache/x", { volumes });
    await assertRejects(look, RecipeError, "link");
    assertEquals(
      await inside(image, "ls /proc2", { volumes: { "/proc2": { source: "/proc/self" } } }).then((
        text,
      ) => text.includes("status")),
      true,
    );
  },
);

withImage("files are mounted where the links of an image lead, there or not", {
  layers: [[
    ...(BUSYBOX === undefined ? [] : systemFiles()),
    { name: "etc/resolv.conf", type: "symlink", target: "../run/systemd/resolve/stub.conf" },
    { name: "run", type: "symlink", target: "/var/run" },
    { name: "var", type: "directory" },
    { name: "loop", type: "symlink", target: "loop" },
  ]],
}, async (image, directory) => {
  const volumes = { "/run/deep/data": { source: directory } };
  assertEquals(
    await inside(image, "cat /etc/resolv.conf; ls -A /var/run", { volumes }),
    ".containerenv\ndeep\nsystemd",
  );
  const root = await image.directory();
  assertEquals(resolveInImage(root, "/etc/resolv.conf"), {
    path: "/var/run/systemd/resolve/stub.conf",
    hasParent: false,
  });
  assertEquals(resolveInImage(root, "/../../var/x"), { path: "/var/x", hasParent: true });
  assertEquals(resolveInImage(root, "/loop/x").path, "/loop/x");
});

withImage("each run has its own files of the network, and writes to no device of the image", {
  layers: [[
    ...(BUSYBOX === undefined ? [] : systemFiles()),
    { name: "etc/hosts", type: "character" },
    { name: "etc/hostname", content: "of the image\n", mode: 0o600 },
  ]],
}, async (image) => {
  const script = "cat /etc/hosts /etc/hostname; echo more | tee -a /etc/hosts >>/etc/hostname";
  const expected = "127.0.0.1 localhost image\n::1 localhost ip6-localhost ip6-loopback\nimage";
  assertEquals(await inside(image, script), expected);
  assertEquals(await inside(image, script), expected);
  const kept = Deno.readTextFileSync(`${await image.directory()}/etc/hostname`);
  assertEquals(kept, "of the image\n");
});

withImage(
  "an image whose /proc is a link is refused",
  {
    layers: [[{ name: "proc", type: "symlink", target: "/etc" }]],
  },
  (image) =>
    assertImageError(() => image.command(["x"]), "invalid", "a /proc that is not a directory"),
);

withImage("a container has the limits of others' containers", {}, async (image) => {
  const script = "cat /proc/self/status";
  const status = await inside(image, script);
  assertMatch(status, /NoNewPrivs:\t1/);
  assertMatch(status, /Seccomp:\t2/);
  assertMatch(status, /CapEff:\t00000000a00405fb/);
  assertEquals(
    await inside(image, "cat /proc/sys/kernel/../../kcore | ls /dev; cat /etc/resolv.conf"),
    "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero",
  );
});

withImage("a program does not change the machine by /sys", {}, async (image) => {
  // The loopback interface is the container's own, so that nothing is changed where it can be.
  const script = "ls /sys/firmware; grep ' /sys ' /proc/mounts; " +
    "for path in /sys/class/net/lo/mtu /sys/power/state; do (: >> $path) 2>&1 || true; done";
  for (const options of [{}, { readOnly: true }, { net: "host" }] as const) {
    const [mounted, ...refused] = (await inside(image, script, options)).split("\n");
    assertMatch(mounted!, /^\w+ \/sys sysfs ro,/);
    assertMatch(refused[0]!, /lo\/mtu: (Read-only file system|Permission denied)$/i);
    assertMatch(
      refused[1]!,
      /power\/state: (Read-only file system|.*no such file.*|Permission denied)$/i,
    );
  }
});

withImage("no device of a layer can be opened, in a declared volume neither", {
  layers: [[
    ...BUSYBOX === undefined ? [] : systemFiles(),
    { name: "zero", type: "character", mode: 0o666 },
    { name: "home/cook/zero", type: "character", mode: 0o666 },
  ]],
  config: { Volumes: { "/home/cook": {} } },
}, async (image, directory) => {
  const { leftOutCount } = await image.unpack();
  // What only root makes, and not in every container.
  const why = leftOutCount > 0 ? /: no such file/i : /: Permission denied$/i;
  const script = "for path in /zero /home/cook/zero; do (: < $path) 2>&1 || true; done; " +
    "touch /home/cook/new";
  for (const more of [{}, { readOnly: true }, { persistent: `${directory}/kept` }]) {
    const lines = (await inside(image, script, more)).split("\n");
    assertEquals(lines.length, 2);
    for (const line of lines) assertMatch(line, why);
  }
});

withImage("the root of an image is steps for any recipe", {}, async (image) => {
  const box = recipe(
    unshare("user", "mount", "pid", "net", "ipc"),
    mapRoot(),
    ...await image.root(),
  );
  const { stdout } = await box.command("ls", { args: ["/"] }).output();
  assertEquals(new TextDecoder().decode(stdout), "bin\ndev\netc\nhome\nproc\nrun\nsys\ntmp\n");
});

withImage(
  "an image that a container uses is not collected, even past its script",
  {},
  async (image, directory) => {
    const command = await image.command(["sleep", "60"]);
    await using _container = command.spawn();
    const { name } = image;
    const root = await image.directory();
    await image[Symbol.asyncDispose]();
    const store = `${directory}/store`;
    assertEquals((await removeImages([name], { store })).roots, 0);
    assertEquals(Deno.statSync(root).isDirectory, true);
    _container.kill("SIGKILL");
    await _container.status;
    assertEquals((await collectGarbage({ store })).roots, 1);
    assertEquals(await storedImage(name, { store }), undefined);
  },
);

test("a user is found by name and by number, with the groups", () => {
  const root = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${root}/etc`);
    Deno.mkdirSync(`${root}/usr`);
    Deno.writeTextFileSync(
      `${root}/usr/passwd`,
      "# none\nroot:x:0:0::/root:/bin/sh\ncook:x:7:8::/home/cook:\n12:x:99:9::/x:\n",
    );
    // A link of an image leads to a file of the image, whatever it says.
    Deno.symlinkSync("/../../usr/passwd", `${root}/etc/passwd`);
    Deno.writeTextFileSync(`${root}/etc/group`, "root:x:0:\npots:x:5:cook,root\npans:x:6:cook\n");
    const ids = ["", "cook", "7", "12", "3000000", "cook:pots", "0:70000", "cook:"].map((text) => {
      const { uid, gid, groups, home } = findUser(root, text);
      return `${uid}:${gid} ${groups} ${home}`;
    });
    assertEquals(ids, [
      "0:0 5 /root",
      "7:8 5,6 /home/cook",
      "7:8 5,6 /home/cook",
      "99:9  /x",
      "3000000:0  /",
      "7:5  /home/cook",
      "0:70000  /root",
      "7:8 5,6 /home/cook",
    ]);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

inDirectory(
  "in a user namespace of further ids, files have the owners of the image",
  async (directory) => {
    const files = [...systemFiles(), { name: "home/cook/pan", content: "x", uid: 1234, gid: 50 }];
    writeLayout(`${directory}/layout`, {
      tag: makeImage({ layers: [files], config: { User: "cook" } }),
    });
    const range = (own: number) => [
      { inside: 0, outside: own, count: 1 },
      { inside: 1, outside: 200_000, count: 5000 },
    ];
    // Root gives itself any ids; an ordinary user has those of /etc/subuid.
    const ids = root ? { uids: range(0), gids: range(0) } : subordinateIds()!;
    const options = { store: `${directory}/store`, name: "tool:1", ids };
    const persistent = `${directory}/changes`;
    {
      await using image = await pull(`oci:${directory}/layout:tag`, options);
      const outside = Deno.statSync(`${await image.directory()}/home/cook/pan`);
      assertEquals([outside.uid, outside.gid], [
        ids.uids[1]!.outside + 1233,
        ids.gids[1]!.outside + 49,
      ]);
      const script =
        "busybox stat -c %u:%g pan; id; touch pan; test ! -w /etc; cat /proc/self/uid_map";
      const text = await inside(image, script, { cwd: "/home/cook" });
      assertEquals(text.split("\n").slice(0, 2), [
        "1234:50",
        "uid=1234(cook) gid=1234(cook) groups=50(kitchen)",
      ]);
      const made = "mkdir -p /data; busybox chown cook:kitchen /data";
      await inside(image, made.replace("mkdir", "busybox mkdir"), { user: "0", persistent });
      await using second = await commit(image, "tool:2", { changes: persistent });
      await using again = await pull(`oci:${directory}/store:${second.name}`, options);
      assertEquals(await inside(again, "busybox stat -c %u:%g /data"), "1234:50");
    }
    const { roots } = await removeImages(["tool:1", "tool:2"], options);
    assertEquals(roots, 2);
  },
  BUSYBOX === undefined ? "needs a static busybox" : noRanges(),
);

function noRanges(): string | undefined {
  if (root || (without("newuidmap") === undefined && subordinateIds() !== undefined)) {
    return undefined;
  }
  return "needs newuidmap, and subordinate ids for this user";
}
