/** `landlock`: what the program can do, and the differences between kernel versions. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  capabilities,
  landlock,
  type LandlockRules,
  mapRoot,
  pivotRoot,
  readonlyPaths,
  type Recipe,
  recipe,
  seccomp,
  type SeccompProfile,
  tmpfs,
  unshare,
  UnsupportedError,
  writeFile,
} from "../../mod.ts";
import { LANDLOCK_ACCESS_FS } from "../../ffi/calls/landlock.ts";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import { deniableFileRights, FILE_RIGHTS } from "../../recipe/landlock_rights.ts";
import {
  assertFails,
  assertRefused,
  failing,
  inDirectory,
  inside,
  test,
  testOn,
} from "../support.ts";

const version = landlockVersion();
const noFiles = version >= 3 ? undefined : "needs the landlock of Linux 6.2";
const noPorts = version >= 4 ? undefined : "needs the landlock of Linux 6.7";

const noScopes = version >= 6 ? undefined : "needs the landlock of Linux 6.12";

/** Rules for what the program itself needs. */
const SYSTEM = ["/bin", "/sbin", "/usr", "/lib", "/lib64", "/etc"].filter(exists);

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
}

function box(rules: LandlockRules): Recipe {
  return recipe(landlock({ execute: SYSTEM, ...rules }));
}

test(
  "only allowed paths can be read, listed and written",
  inDirectory((directory) => {
    for (const name of ["readable", "writable", "both", "hidden"]) {
      Deno.mkdirSync(`${directory}/${name}`);
      Deno.chmodSync(`${directory}/${name}`, 0o777);
      Deno.writeTextFileSync(`${directory}/${name}/file`, name);
      Deno.chmodSync(`${directory}/${name}/file`, 0o666);
    }
    const [readable, writable, both] = ["readable", "writable", "both"].map((x) =>
      `${directory}/${x}`
    );
    const limited = box({ read: [readable!, both!], write: [writable!, both!] });
    assertEquals(inside(limited, `ls ${readable}; cat ${readable}/file`), "file\nreadable");
    failing(limited, `echo a >> ${readable}/file`);
    failing(limited, `touch ${readable}/new`);
    failing(limited, `rm ${readable}/file`);
    failing(limited, `truncate -s 0 ${readable}/file`);
    inside(limited, `echo a >> ${writable}/file; mkdir ${writable}/new; rmdir ${writable}/new`);
    failing(limited, `ls ${writable}`);
    failing(limited, `cat ${writable}/file`);
    assertEquals(inside(limited, `mv ${both}/file ${both}/other; cat ${both}/other`), "both");
    failing(limited, `cat ${directory}/hidden/file`);
    failing(limited, `ls ${directory}`);
    failing(limited, `ln ${readable}/file ${both}/link`);
  }),
  noFiles,
);

test(
  "a single file can be allowed",
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/one`, "one");
    Deno.writeTextFileSync(`${directory}/two`, "two");
    Deno.chmodSync(`${directory}/one`, 0o666);
    const limited = box({ read: [`${directory}/one`], write: [`${directory}/one`, "/dev/null"] });
    assertEquals(inside(limited, `cat ${directory}/one; echo 1 > ${directory}/one`), "one");
    failing(limited, `cat ${directory}/two`);
    failing(limited, `rm ${directory}/one`);
  }),
  noFiles,
);

test(
  "what is left out of a directory is denied, also by a link, and the rest is not",
  inDirectory((directory) => {
    const kept = `${directory}/kept`;
    Deno.mkdirSync(kept);
    for (const name of ["secret", "other"]) Deno.writeTextFileSync(`${kept}/${name}`, name);
    Deno.writeTextFileSync(`${directory}/beside`, "beside");
    Deno.symlinkSync("kept/secret", `${directory}/link`);
    const limited = box({ read: [directory], except: [`${kept}/secret`] });
    assertEquals(inside(limited, `cat ${kept}/other ${directory}/beside`), "otherbeside");
    for (const path of [`${kept}/secret`, `${directory}/link`]) failing(limited, `cat ${path}`);
    failing(limited, `ls ${kept}`);
    Deno.writeTextFileSync(`${kept}/later`, "later");
    assertEquals(inside(limited, `cat ${kept}/later`), "later", "it is planned anew");
    // A rule for the path itself is not for a directory around it.
    inside(limited.with(landlock({ execute: ["/"], except: ["/no"] })), "true");
    const both = box({ read: [directory, `${kept}/secret`], except: [`${kept}/secret`] });
    assertEquals(inside(both, `cat ${kept}/secret`), "secret");
  }),
  noFiles,
);

test(
  "what is left out of writing can be read, and a hard link is refused",
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/one`, "one");
    Deno.writeTextFileSync(`${directory}/two`, "two");
    const limited = () =>
      box({ read: [directory], write: [directory], exceptWrite: [`${directory}/one`] });
    assertEquals(inside(limited(), `cat ${directory}/one; ls ${directory}`), "oneone\ntwo");
    inside(limited(), `echo 2 > ${directory}/two`);
    failing(limited(), `echo 1 > ${directory}/one`);
    failing(limited(), `mv ${directory}/one ${directory}/three`);
    Deno.linkSync(`${directory}/one`, `${directory}/two-names`);
    assertRefused(limited, { step: "landlock", says: "has another name, a hard link" });
  }),
  noFiles,
);

test(
  "files for all are allowed as far as they are there",
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/private`, "private", { mode: 0o600 });
    Deno.writeTextFileSync(`${directory}/public`, "public", { mode: 0o644 });
    const paths = ["private", "public", "missing"].map((name) => `${directory}/${name}`);
    const limited = box({ public: paths });
    assertEquals(inside(limited, `cat ${directory}/public`), "public");
    failing(limited, `cat ${directory}/private`);
  }),
  noFiles,
);

test(
  "no link is followed that the program may have made",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/own`);
    Deno.mkdirSync(`${directory}/others`);
    Deno.symlinkSync("../others", `${directory}/own/link`);
    const rules = (untrusted: boolean) =>
      box({ read: [`${directory}/own/link`], write: [`${directory}/own`], untrusted });
    assertRefused(() => rules(true), { step: "landlock", says: "which a program may have put in" });
    inside(rules(false), `ls ${directory}/others`);
  }),
  noFiles,
);

testOn(
  ["mount"],
  "what is about files of the host is refused for those of the recipe",
  (mounts) => {
    for (const rules of [{ public: ["/tmp/a"] }, { read: ["/tmp"], except: ["/tmp/a"] }]) {
      const limited = mounts.with(tmpfs("/tmp"), landlock(rules));
      assertRefused(() => limited, { step: "landlock", says: "is about files of the host" });
    }
  },
  noFiles,
);

test("only allowed programs can be executed", () => {
  assertFails(recipe(landlock({ execute: [] })), {
    code: "EACCES",
    says: "landlock() has to allow it",
  });
  const limited = box({ read: ["/"], write: ["/tmp"] });
  const copy = "cp /bin/true /tmp/$$; trap 'rm /tmp/$$' EXIT; /tmp/$$";
  failing(limited, copy);
}, noFiles);

testOn(["mount"], "what the steps do is not limited, and places are the container's", (mounts) => {
  const limited = mounts.with(
    tmpfs("/tmp"),
    landlock({ execute: SYSTEM, read: ["/tmp"] }),
    writeFile("/tmp/file", "soup"),
    tmpfs("/mnt"),
  );
  if (version < 3) return;
  assertEquals(inside(limited, "cat /tmp/file"), "soup");
  failing(limited, "touch /tmp/new");
  failing(limited, "ls /mnt");
  failing(limited, "mount -t tmpfs none /mnt");
  const inRoot = mounts.with(
    tmpfs("/mnt"),
    landlock({ read: ["/mnt"] }),
    pivotRoot("/mnt"),
  );
  assert(inRoot.plan().toString().includes("landlock_restrict_self"));
});

test("rules for ports alone do not restrict files", () => {
  const port = 1; // without a server
  const limited = recipe(landlock({ connectTcp: [port] }));
  const connect = (to: number) =>
    `perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); ` +
    `connect(S, sockaddr_in(${to}, INADDR_LOOPBACK)); print $! + 0'`;
  const bind = `perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); ` +
    `bind(S, sockaddr_in(0, INADDR_LOOPBACK)) or print $! + 0'`;
  const EACCES = "13", ECONNREFUSED = "111";
  assertEquals(inside(limited, connect(port)), ECONNREFUSED);
  assertEquals(inside(limited, connect(2)), EACCES);
  assertEquals(inside(limited, bind), "");
  assertEquals(inside(recipe(landlock({ bindTcp: [] })), bind), EACCES);
  assertEquals(inside(recipe(landlock({ bindTcp: [0] })), bind), "");
  assertEquals(inside(recipe(landlock({ bindTcp: [] })), connect(2)), ECONNREFUSED);
  inside(limited, "ls / > /dev/null");
}, noPorts);

test("abstract unix sockets and processes outside cannot be reached", async () => {
  await using outside = new Socket();
  const connect = `perl -MSocket -e 'socket(S, PF_UNIX, SOCK_DGRAM, 0); ` +
    `print connect(S, pack("S", AF_UNIX) . "\\0${outside.name}") ? 0 : $! + 0'`;
  const signal = `perl -e 'print kill(0, ${Deno.pid}) ? 0 : $! + 0'`;
  const EPERM = "1";
  assertEquals(inside(recipe(), connect), "0");
  assertEquals(inside(recipe(), signal), "0");
  assertEquals(inside(recipe(landlock({ isolate: ["abstractSockets"] })), connect), EPERM);
  assertEquals(inside(recipe(landlock({ isolate: ["abstractSockets"] })), signal), "0");
  assertEquals(inside(recipe(landlock({ isolate: ["signals"] })), signal), EPERM);
  inside(recipe(landlock({ isolate: ["signals"] })), "sleep 9 & kill $!");
}, noScopes);

/** A program that listens on a socket with an abstract name. */
class Socket implements AsyncDisposable {
  readonly name = `ramekin-${crypto.randomUUID()}`;
  readonly #program: Deno.ChildProcess;

  constructor() {
    const script = `socket(S, PF_UNIX, SOCK_DGRAM, 0); ` +
      `bind(S, pack("S", AF_UNIX) . "\\0${this.name}") or die $!; sleep 60`;
    this.#program = new Deno.Command("perl", { args: ["-MSocket", "-e", script] }).spawn();
    while (!Deno.readTextFileSync("/proc/net/unix").includes(this.name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#program.kill("SIGKILL");
    await this.#program.status;
  }
}

test("two rulesets apply together", () => {
  const limited = recipe(
    landlock({ execute: ["/"], write: ["/dev"] }),
    landlock({ execute: SYSTEM }),
  );
  inside(limited, "ls /usr");
  failing(limited, "ls /proc");
  failing(limited, "echo > /dev/null");
}, noFiles);

test("landlock and seccomp work in either order", () => {
  const rules = landlock({ execute: SYSTEM });
  for (const steps of [[rules, seccomp()], [seccomp(), rules]]) {
    failing(recipe(...steps), "ls /proc");
    inside(recipe(...steps), "ls /usr");
  }
}, noFiles);

test("the program gains no privileges", () => {
  const limited = box({ read: ["/proc"] });
  assertEquals(inside(limited, "grep NoNewPrivs /proc/self/status"), "NoNewPrivs:\t1");
}, noFiles);

test("a missing path is reported with the step", () => {
  assertFails(box({ read: ["/no/such/directory"] }), {
    step: "landlock",
    at: 0,
    code: "ENOENT",
    says: "",
  });
}, noFiles);

test("an older kernel is reported, or rules are left out with { degrade: true }", () => {
  const script = `
    import { landlock, recipe } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url))};
    const rules = { execute: ["/usr"], connectTcp: [443] };
    try {
      recipe(landlock(rules)).command("true").outputSync();
    } catch (error) {
      console.log(error.name, error.message);
    }
    console.log(recipe(landlock({ ...rules, degrade: true })).command("true").outputSync().code);
  `;
  const without: SeccompProfile = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["landlock_create_ruleset"], action: "SCMP_ACT_ERRNO", errnoRet: 38 }],
  };
  const { stdout, stderr } = recipe(seccomp(without)).command(Deno.execPath(), {
    args: ["eval", "--no-check", "--no-config", script],
  }).outputSync();
  const output = new TextDecoder().decode(stdout);
  assertEquals(
    output,
    "UnsupportedError landlock: this kernel cannot limit files (Linux 6.2): it has no Landlock, or " +
      "Landlock is not among its security modules (lsm=landlock,...); " +
      "{ degrade: true } uses what there is\n0\n",
    new TextDecoder().decode(stderr),
  );
});

test("rules that this kernel does not support are refused", () => {
  if (version >= 3) return;
  assertThrows(() => recipe(landlock({ read: ["/"] })).plan(), UnsupportedError, "limit files");
});

test("each version denies the rights that it has", () => {
  const { REFER, TRUNCATE, IOCTL_DEV, MAKE_SYM } = LANDLOCK_ACCESS_FS;
  const rights = [0, 1, 2, 3, 4, 5, 6, 7].map(deniableFileRights);
  assertEquals(rights.slice(0, 4), [0, MAKE_SYM * 2 - 1, REFER * 2 - 1, TRUNCATE * 2 - 1]);
  assertEquals(rights.slice(4), [TRUNCATE, IOCTL_DEV, IOCTL_DEV, IOCTL_DEV].map((x) => x * 2 - 1));
  const all = Object.values(FILE_RIGHTS).reduce((sum, right) => sum | right, 0);
  assertEquals(all, deniableFileRights(7), "every right goes with one of the words");
});

test("empty rules, and invalid ports and paths, are refused", () => {
  const refused = (rules: unknown, says: string) =>
    assertRefused(() => recipe(landlock(rules as LandlockRules)), {
      step: "landlock",
      at: 0,
      says,
    });
  refused({}, "needs at least one rule");
  refused({ degrade: true }, "needs at least one rule");
  refused({ read: ["tmp"] }, "has to begin with /");
  refused({ read: ["/a/../b"] }, '".."');
  refused({ bindTcp: [65536] }, "from 0 to 65535");
  refused({ reads: ["/"] }, 'did you mean "read"?');
});

test("the plan shows the rules by their names", () => {
  const plan = recipe(unshare("user"), mapRoot(), landlock({ read: ["/usr"], bindTcp: [80] }))
    .plan();
  const calls = plan.entries.filter(({ part }) => part === "landlock").map(({ call }) => call);
  const text = calls.join("\n");
  for (
    const word of [
      "landlock_create_ruleset({EXECUTE|WRITE_FILE|READ_FILE",
      "{READ_FILE|READ_DIR, fd}",
      "landlock_add_rule(ruleset, LANDLOCK_RULE_NET_PORT, {BIND_TCP, 80}, 0)",
      "landlock_restrict_self(ruleset, 0)",
    ]
  ) assert(text.includes(word), text);
}, noPorts);

test(
  "root of a container makes read-only paths writable behind it, and without capabilities does not",
  () => {
    const box = recipe(
      unshare("user", "mount"),
      mapRoot(),
      tmpfs("/mnt"),
      readonlyPaths("/mnt"),
      landlock({ execute: ["/"], write: ["/"] }),
    );
    const script = String.raw`
    my ($root, $attr) = ("/mnt\0", pack("Q4", 0, 1, 0, 0)); # MOUNT_ATTR_RDONLY
    print syscall(442, -100, $root, 0, $attr, 32) == 0 ? "writable" : $!;`;
    const change = `perl -e '${script}'`;
    assertEquals(inside(box, change), "writable");
    assertEquals(inside(box.with(capabilities({ keep: [] })), change), "Operation not permitted");
  },
  noFiles,
);
