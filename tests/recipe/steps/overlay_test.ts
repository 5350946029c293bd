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
} from "../../../mod.ts";
import { assertFails, assertRefused, failing, inFolder, inside, test, testOn } from "../support.ts";

const box = recipe(unshare("user", "mount"), mapRoot());

/** Folders with a file each, named as the folder, and one of the same name in all. */
function layers(folder: string, ...names: string[]): string[] {
  return names.map((name) => {
    Deno.mkdirSync(`${folder}/${name}`);
    Deno.writeTextFileSync(`${folder}/${name}/in ${name}`.replaceAll("\n", ""), "");
    Deno.writeTextFileSync(`${folder}/${name}/all`, name);
    return `${folder}/${name}`;
  });
}

function testOverlay(name: string, body: (ground: Recipe, folder: string) => void): void {
  testOn(["mount"], name, (ground) => inFolder((folder) => body(ground, folder))());
}

testOverlay("of several lower folders the first is the topmost", (ground, folder) => {
  const lower = layers(folder, "a", "b", "c");
  const seen = ground.with(overlay("/mnt", { lower }));
  assertEquals(inside(seen, "ls /mnt; cat /mnt/all"), "all\nin a\nin b\nin c\na");
  assertStringIncludes(failing(seen, "touch /mnt/x"), "Read-only file system");
});

testOverlay(
  "what is written goes to the upper folder, and the lower ones stay",
  (ground, folder) => {
    const [lower, upper, work] = [...layers(folder, "a"), `${folder}/upper`, `${folder}/work`] as [
      string,
      string,
      string,
    ];
    Deno.mkdirSync(upper);
    Deno.mkdirSync(work);
    const written = ground.with(overlay("/mnt", { lower: [lower], upper, work }));
    inside(written, "echo soup > /mnt/all; rm '/mnt/in a'; mkdir /mnt/x");
    assertEquals(Deno.readTextFileSync(`${upper}/all`), "soup\n");
    assertEquals(Deno.readTextFileSync(`${lower}/all`), "a");
    assertEquals([...Deno.readDirSync(lower)].length, 2);
    assertEquals(inside(written, "ls /mnt"), "all\nx");
    inside(recipe(unshare("user"), mapRoot()), `rm -rf ${work}/work`);
  },
);

testOverlay("changes are thrown away with discard, at another place", (ground, folder) => {
  const lower = layers(folder, "a", "b");
  const discarded = ground.with(overlay("/mnt", { lower, discard: true }));
  assertEquals(inside(discarded, "echo soup > /mnt/all; rm '/mnt/in a'; ls /mnt"), "all\nin b");
  assertEquals(inside(discarded, "cat /mnt/all"), "a");
  assertEquals(Deno.readTextFileSync(`${folder}/a/all`), "a");
});

testOverlay("changes are thrown away with discard, at the same place", (ground, folder) => {
  layers(folder, "a", "b");
  const discarded = ground.with(overlay(folder, { lower: [folder], discard: true }));
  const script =
    `echo soup > ${folder}/a/all; rm -r ${folder}/b; touch ${folder}/new; ls ${folder}`;
  assertEquals(inside(discarded, script), "a\nnew");
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).toSorted(), ["a", "b"]);
  assertEquals(Deno.readTextFileSync(`${folder}/a/all`), "a");
});

testOverlay("a lower folder may lie in the target", (ground, folder) => {
  layers(folder, "a", "b");
  const box = ground.with(
    overlay(folder, { lower: [`${folder}/a`, `${folder}/b`], discard: true }),
  );
  assertEquals(inside(box, `ls ${folder}`), "all\nin a\nin b");
});

testOverlay("lower folders may be the recipe's own", (ground) => {
  const box = ground.with(
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

testOverlay("folders may have any name", (ground, folder) => {
  const names = ["a,b", "c:d", "e\\f", "g h", 'i"j', "k\\,l:m", "ü", "n=o", "#p"];
  const lower = layers(folder, ...names);
  const seen = inside(ground.with(overlay("/mnt", { lower })), "ls /mnt | wc -l; cat /mnt/all");
  assertEquals(seen, `${names.length + 1}\na,b`);
  for (const name of names) {
    const odd = `${folder}/upper ${name}`;
    for (const path of [odd, `${odd}/upper`, `${odd}/work`]) Deno.mkdirSync(path);
    const box = ground.with(
      overlay("/mnt", { lower: [`${folder}/${name}`], upper: `${odd}/upper`, work: `${odd}/work` }),
    );
    assertEquals(inside(box, "cat /mnt/all; touch /mnt/new"), name);
    assertEquals([...Deno.readDirSync(`${odd}/upper`)].map(({ name }) => name), ["new"]);
    const discarded = ground.with(
      overlay(`${folder}/${name}`, { lower: [`${folder}/${name}`], discard: true }),
    );
    assertEquals(inside(discarded, `cat '${folder}/${name}/all'`), name);
  }
  inside(recipe(unshare("user"), mapRoot()), `rm -rf ${folder}/upper*/work/work`);
});

testOverlay(
  "a target that is missing is made on the recipe's filesystems only",
  (ground, folder) => {
    const lower = layers(folder, "a", "b");
    assertEquals(
      inside(ground.with(tmpfs("/mnt"), overlay("/mnt/x/y", { lower })), "cat /mnt/x/y/all"),
      "a",
    );
    for (const discard of [true, false]) {
      assertFails(ground.with(overlay(`${folder}/x`, { lower, discard })), {
        step: "overlay",
        code: "ENOENT",
        says: "does not exist",
      });
    }
  },
);

testOverlay("a lower folder that is missing is told", (ground, folder) => {
  assertFails(ground.with(overlay("/mnt", { lower: [`${folder}/x`, folder] })), {
    step: "overlay",
    code: "ENOENT",
    says: "does not exist",
  });
});

test("a mount of the host below a lower folder is told", () => {
  for (const discard of [true, false]) {
    assertFails(box.with(overlay("/mnt", { lower: ["/", "/usr"], discard })), {
      step: "overlay",
      at: 2,
      code: "EINVAL",
      says: "no lower folder may have a mount of the host below it",
    });
  }
});

testOverlay("the attributes of the overlay suit its user namespace", (ground, folder) => {
  const lower = layers(folder, "a", "b");
  const line = inside(
    ground.with(overlay("/mnt", { lower })),
    "grep ' /mnt ' /proc/self/mountinfo",
  );
  const mapped = ground.steps[0]!.step === "unshare" &&
    (ground.steps[0]!.kinds as readonly string[]).includes("user");
  assertEquals(line.includes("userxattr"), mapped);
  assertMatch(line, / - overlay overlay /);
});

testOverlay(
  "an overlay can lie beneath a new root, where symlinks do not lead out",
  (ground, folder) => {
    const lower = layers(folder, "a", "b");
    Deno.mkdirSync(`${folder}/root`);
    Deno.symlinkSync("/etc", `${folder}/root/link`);
    Deno.mkdirSync(`${folder}/root/etc`);
    const box = ground.with(
      bind(`${folder}/root`, "/mnt"),
      overlay("/mnt/link", { lower, discard: true }),
      { step: "chroot", path: "/mnt" },
      { step: "writeFile", path: "/link/made", text: "soup" },
      bind("/etc", "/etc"),
    );
    // There is no program in there; the error of the program comes after all steps.
    let message = "";
    try {
      box.command("/true").outputSync();
    } catch (error) {
      message = (error as Error).message;
    }
    assertStringIncludes(message, "program not found");
    assertEquals([...Deno.readDirSync(`${folder}/root/etc`)], []);
  },
);

test("overlays that make no sense are refused", () => {
  const cases: [Parameters<typeof overlay>[1], string][] = [
    [{ lower: [] }, "needs at least one"],
    [{ lower: ["/a"] }, "two lower folders"],
    [{ lower: ["/a"], upper: "/b" }, "go together"],
    [{ lower: ["/a"], work: "/b" }, "go together"],
    [{ lower: ["/a"], upper: "/b", work: "/c", discard: true }, '"discard" takes the place'],
    [{ lower: ["a"], discard: true }, "has to begin with /"],
    [{ lower: "/a" as never }, "should be a list"],
    [{ lower: ["/" + "a".repeat(3000), "/" + "b".repeat(3000)] }, "mount(2) takes 4095"],
    [{ lower: ["/" + "a".repeat(3000), "/" + "b".repeat(3000)], discard: true }, "mount(2) takes"],
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
