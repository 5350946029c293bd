/** `overlay`. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  bind,
  mapRoot,
  mkdir,
  overlay,
  type Recipe,
  recipe,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  failing,
  inDirectory,
  inside,
  notRoot,
  test,
  testOn,
} from "../support.ts";

const box = recipe(unshare("user", "mount"), mapRoot());

/** More than half of the longest options of mount(2), 4095 bytes. */
const LONG = `/${"a".repeat(255)}`.repeat(9);

/** Directories with a file of the directory's name, and a file of one name in all. */
function layers(directory: string, ...names: string[]): string[] {
  return names.map((name) => {
    Deno.mkdirSync(`${directory}/${name}`);
    Deno.writeTextFileSync(`${directory}/${name}/in ${name}`.replaceAll("\n", ""), "");
    Deno.writeTextFileSync(`${directory}/${name}/all`, name);
    return `${directory}/${name}`;
  });
}

function testOverlay(name: string, body: (mounts: Recipe, directory: string) => void): void {
  testOn(["mount"], name, (mounts) => inDirectory((directory) => body(mounts, directory))());
}

testOverlay("of several lower directories the first is the topmost", (mounts, directory) => {
  const lower = layers(directory, "a", "b", "c");
  const seen = mounts.with(overlay("/mnt", { lower }));
  assertEquals(inside(seen, "ls /mnt; cat /mnt/all"), "all\nin a\nin b\nin c\na");
  assertStringIncludes(failing(seen, "touch /mnt/x"), "Read-only file system");
});

testOverlay(
  "what is written goes to the upper directory, and the lower ones stay",
  (mounts, directory) => {
    const [lower, upper, work] = [
      ...layers(directory, "a"),
      `${directory}/upper`,
      `${directory}/work`,
    ] as [
      string,
      string,
      string,
    ];
    Deno.mkdirSync(upper);
    Deno.mkdirSync(work);
    const written = mounts.with(overlay("/mnt", { lower: [lower], upper, work }));
    inside(written, "echo soup > /mnt/all; rm '/mnt/in a'; mkdir /mnt/x");
    assertEquals(Deno.readTextFileSync(`${upper}/all`), "soup\n");
    assertEquals(Deno.readTextFileSync(`${lower}/all`), "a");
    assertEquals([...Deno.readDirSync(lower)].length, 2);
    assertEquals(inside(written, "ls /mnt"), "all\nx");
    inside(recipe(unshare("user"), mapRoot()), `rm -rf ${work}/work`);
  },
);

testOverlay("changes are thrown away with discard, at another place", (mounts, directory) => {
  const lower = layers(directory, "a", "b");
  const discarded = mounts.with(overlay("/mnt", { lower, discard: true }));
  assertEquals(inside(discarded, "echo soup > /mnt/all; rm '/mnt/in a'; ls /mnt"), "all\nin b");
  assertEquals(inside(discarded, "cat /mnt/all"), "a");
  assertEquals(Deno.readTextFileSync(`${directory}/a/all`), "a");
});

testOverlay("changes are thrown away with discard, at the same place", (mounts, directory) => {
  layers(directory, "a", "b");
  const discarded = mounts.with(overlay(directory, { lower: [directory], discard: true }));
  const script =
    `echo soup > ${directory}/a/all; rm -r ${directory}/b; touch ${directory}/new; ls ${directory}`;
  assertEquals(inside(discarded, script), "a\nnew");
  assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name).toSorted(), ["a", "b"]);
  assertEquals(Deno.readTextFileSync(`${directory}/a/all`), "a");
});

testOverlay("a lower directory may lie in the target", (mounts, directory) => {
  layers(directory, "a", "b");
  const box = mounts.with(
    overlay(directory, { lower: [`${directory}/a`, `${directory}/b`], discard: true }),
  );
  assertEquals(inside(box, `ls ${directory}`), "all\nin a\nin b");
});

testOverlay("lower directories may be the recipe's own", (mounts) => {
  const box = mounts.with(
    tmpfs("/tmp"),
    mkdir("/tmp/lower"),
    mkdir("/tmp/upper"),
    mkdir("/tmp/work"),
    writeFile("/tmp/lower/a", "soup"),
    overlay("/mnt", { lower: ["/tmp/lower"], upper: "/tmp/upper", work: "/tmp/work" }),
    overlay("/tmp/made/here", { lower: ["/tmp/lower"], discard: true }),
  );
  const script = "cat /mnt/a /tmp/made/here/a; touch /mnt/b /tmp/made/here/c; ls /tmp/upper";
  assertEquals(inside(box, script), "soupsoupb");
});

testOverlay("64 layers have paths as long as those of container engines", (mounts, directory) => {
  const names = Array.from({ length: 64 }, (_, index) => `${"f".repeat(64)}-${index}/diff`);
  const lower = names.map((name) => `${directory}/${name}`);
  lower.forEach((path, index) => {
    Deno.mkdirSync(path, { recursive: true });
    Deno.writeTextFileSync(`${path}/${index}`, "");
  });
  assertEquals(inside(mounts.with(overlay("/mnt", { lower })), "ls /mnt | wc -l"), "64");
});

testOverlay("directories may have any name", (mounts, directory) => {
  const names = ["a,b", "c:d", "e\\f", "g h", 'i"j', "k\\,l:m", "ü", "n=o", "#p"];
  const lower = layers(directory, ...names);
  const seen = inside(mounts.with(overlay("/mnt", { lower })), "ls /mnt | wc -l; cat /mnt/all");
  assertEquals(seen, `${names.length + 1}\na,b`);
  for (const name of names) {
    const odd = `${directory}/upper ${name}`;
    for (const path of [odd, `${odd}/upper`, `${odd}/work`]) Deno.mkdirSync(path);
    const box = mounts.with(
      overlay("/mnt", {
        lower: [`${directory}/${name}`],
        upper: `${odd}/upper`,
        work: `${odd}/work`,
      }),
    );
    assertEquals(inside(box, "cat /mnt/all; touch /mnt/new"), name);
    assertEquals([...Deno.readDirSync(`${odd}/upper`)].map(({ name }) => name), ["new"]);
    const discarded = mounts.with(
      overlay(`${directory}/${name}`, { lower: [`${directory}/${name}`], discard: true }),
    );
    assertEquals(inside(discarded, `cat '${directory}/${name}/all'`), name);
  }
  inside(recipe(unshare("user"), mapRoot()), `rm -rf ${directory}/upper*/work/work`);
});

testOverlay(
  "a target that is missing is made on the recipe's filesystems only",
  (mounts, directory) => {
    const lower = layers(directory, "a", "b");
    assertEquals(
      inside(mounts.with(tmpfs("/mnt"), overlay("/mnt/x/y", { lower })), "cat /mnt/x/y/all"),
      "a",
    );
    for (const discard of [true, false]) {
      assertFails(mounts.with(overlay(`${directory}/x`, { lower, discard })), {
        step: "overlay",
        code: "ENOENT",
        says: "does not exist",
      });
    }
  },
);

testOverlay("a missing lower directory is reported", (mounts, directory) => {
  assertFails(mounts.with(overlay("/mnt", { lower: [`${directory}/x`, directory] })), {
    step: "overlay",
    code: "ENOENT",
    says: "does not exist",
  });
});

test("a mount of the host beneath a lower directory is reported", () => {
  for (const discard of [true, false]) {
    assertFails(box.with(overlay("/mnt", { lower: ["/", "/usr"], discard })), {
      step: "overlay",
      at: 2,
      code: "EINVAL",
      says: "no lower directory may have a mount of the host below it",
    });
  }
});

testOverlay("the attributes of the overlay suit its user namespace", (mounts, directory) => {
  const lower = layers(directory, "a", "b");
  const line = inside(
    mounts.with(overlay("/mnt", { lower })),
    "grep ' /mnt ' /proc/self/mountinfo",
  );
  const mapped = mounts.steps[0]!.step === "unshare" &&
    (mounts.steps[0]!.kinds as readonly string[]).includes("user");
  assertEquals(line.includes("userxattr"), mapped);
  assertMatch(line, / - overlay overlay /);
});

testOverlay(
  "an overlay can lie beneath a new root, where symlinks do not lead out",
  (mounts, directory) => {
    const lower = layers(directory, "a", "b");
    Deno.mkdirSync(`${directory}/root`);
    Deno.symlinkSync("/etc", `${directory}/root/link`);
    Deno.mkdirSync(`${directory}/root/etc`);
    const box = mounts.with(
      bind(`${directory}/root`, "/mnt"),
      overlay("/mnt/link", { lower, discard: true }),
      { step: "chroot", path: "/mnt" },
      { step: "writeFile", path: "/link/made", text: "soup" },
      bind("/etc", "/etc"),
    );
    // The root has no programs; that error comes after all steps.
    let message = "";
    try {
      box.command("/true").outputSync();
    } catch (error) {
      message = (error as Error).message;
    }
    assertStringIncludes(message, "program not found");
    assertEquals([...Deno.readDirSync(`${directory}/root/etc`)], []);
  },
);

testOverlay(
  "the paths of lower directories may be as long as paths can be",
  (mounts, directory) => {
    const lower = ["a", "b"].map((name) => {
      const path = `${directory}/${name}${LONG}`;
      Deno.mkdirSync(path, { recursive: true });
      Deno.writeTextFileSync(`${path}/${name}`, "");
      return path;
    });
    assertEquals(inside(mounts.with(overlay("/mnt", { lower })), "ls /mnt"), "a\nb");
  },
);

test("invalid overlays are refused", () => {
  const cases: [Parameters<typeof overlay>[1], string][] = [
    [{ lower: [] }, "needs at least one"],
    [{ lower: ["/a"] }, "two lower directories"],
    [{ lower: ["/a"], upper: "/b" }, "go together"],
    [{ lower: ["/a"], work: "/b" }, "go together"],
    [{ lower: ["/a"], upper: "/b", work: "/c", discard: true }, '"discard" takes the place'],
    [{ lower: ["a"], discard: true }, "has to begin with /"],
    [{ lower: "/a" as never }, "should be a list"],
    [{ lower: ["/a"], upper: `/a${LONG}`, work: `/b${LONG}` }, "mount(2) takes 4095"],
  ];
  for (const [options, says] of cases) {
    assertRefused(() => box.with(overlay("/mnt", options)), { step: "overlay", at: 2, says });
  }
  assertRefused(() => recipe(overlay("/mnt", { lower: ["/a", "/b"] })), {
    step: "overlay",
    at: 0,
    says: 'unshare("mount")',
  });
});

testOverlay("the root of an overlay has the mode of the topmost layer", (mounts, directory) => {
  const lower = layers(directory, "a", "b");
  for (const mode of [0o700, 0o1777, 0o2750]) {
    Deno.chmodSync(lower[0]!, mode);
    const discarded = mounts.with(overlay("/mnt", { lower, discard: true }));
    assertEquals(inside(discarded, "stat -c %a /mnt"), mode.toString(8));
  }
});

test(
  "the root of an overlay has the owner of the topmost layer",
  inDirectory((directory) => {
    const [lower] = layers(directory, "a") as [string];
    Deno.chownSync(lower, 1234, 2345);
    const box = recipe(unshare("mount"), overlay("/mnt", { lower: [lower], discard: true }));
    assertEquals(inside(box, "stat -c '%u %g %a' /mnt"), "1234 2345 755");
  }),
  notRoot,
);

test(
  "it is told which directory of an overlay does not exist",
  inDirectory((directory) => {
    const [lower] = layers(directory, "a") as [string];
    const at = (name: string) => `${directory}/${name}`;
    const tried = (upper: string, work: string) =>
      box.with(overlay("/mnt", { lower: [lower], upper: at(upper), work: at(work) }));
    Deno.mkdirSync(at("upper"));
    Deno.writeTextFileSync(at("file"), "");
    const fails = (tree: Recipe, code: string, says: string) =>
      assertFails(tree, { step: "overlay", at: 2, code, says });
    fails(tried("none", "work"), "ENOENT", `the upper directory ${at("none")} does not exist`);
    fails(tried("upper", "none"), "ENOENT", `the work directory ${at("none")} does not exist`);
    fails(tried("file", "none"), "ENOTDIR", `the upper directory ${at("file")} is not a directory`);
  }),
);
