/** `sandbox({ degrade: true })` where user namespaces are refused, and where they are not. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { sandboxOn } from "../../container/sandbox_on.ts";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import { RecordedHost } from "../../host/recorded_host.ts";
import {
  mapCurrentUser,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  type SandboxOptions,
  seccomp,
  sysctl,
  unshare,
  UnsupportedError,
} from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { emulated } from "../rounds.ts";
import { assertFails, inside, notRoot, test } from "../support.ts";

const noFiles = landlockVersion() >= 3 ? undefined : "needs the Landlock of Linux 6.2";

/** Places that refuse user namespaces, what fails there, and a part of the fix. */
const PLACES: Readonly<Record<string, readonly [place: Recipe, refused: string, fix: RegExp]>> = {
  "a limit of 0": [
    recipe(unshare("user"), mapCurrentUser(), sysctl({ "user.max_user_namespaces": 0 })),
    "clone fails with ENOSPC",
    /only 0 user namespaces are allowed here/,
  ],
  "the filter of a container": [
    recipe(seccomp()),
    "clone fails with EPERM",
    /forbidden here|AppArmor|ordinary users may not/,
  ],
  // AppArmor lets the namespace be made, and denies every capability in it.
  "a security module": [
    recipe(
      seccomp({
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mount"], action: "SCMP_ACT_ERRNO", errnoRet: 13 }],
      }),
    ),
    "mount fails with EACCES",
    /forbidden here|AppArmor|ordinary users may not/,
  ],
};

const SCRIPT = `
  const { sandbox } = ramekin;
  let without;
  try {
    sandbox().command("true").outputSync();
  } catch (error) {
    without = error.message;
  }
  const box = sandbox({ degrade: true, env: ["HOME"] }).with(ramekin.umask(0o77));
  const script = "head -c 1 /etc/passwd >/dev/null; ls /tmp 2>&1 >/dev/null; umask; echo > /tmp/a";
  const { code, stdout } = box.command("sh", { args: ["-c", script], stderr: "null" }).outputSync();
  const listing = box.plan().toString();
  console.log(JSON.stringify({
    without,
    degraded: box.degraded,
    code,
    text: new TextDecoder().decode(stdout),
    shows: ["landlock_restrict_self", "SECCOMP_SET_MODE_FILTER"].map((call) => listing.includes(call)),
  }));`;

for (const [name, [place, refused, fix]] of Object.entries(PLACES)) {
  test(`in a place with ${name}`, () => {
    const result = scriptInside(place, SCRIPT) as {
      without?: string;
      degraded: { refused: string; fix: string; lacks: string[] };
      code: number;
      text: string;
      shows: boolean[];
    };
    assertStringIncludes(result.without!, "sandbox({ degrade: true }), --degrade, does without");
    assertStringIncludes(result.without!, "processes are seen");
    assertEquals(result.degraded.refused, refused);
    assertMatch(result.degraded.fix, fix);
    assert(result.degraded.lacks.length > 3);
    assertEquals(result.code, 2, "a shell that cannot make a file ends with 2");
    assertMatch(result.text, /^ls: .*Permission denied\n0077\n$/);
    assertEquals(result.shows, [true, true]);
  }, noFiles);
}

const SETTING = "/proc/sys/user/max_user_namespaces";

test("on a machine whose user namespaces are switched off", () => {
  const before = Deno.readTextFileSync(SETTING);
  Deno.writeTextFileSync(SETTING, "0");
  try {
    const box = sandbox({ degrade: true });
    assertEquals(box.degraded?.refused, "clone fails with ENOSPC");
    const script = "head -c 1 /etc/passwd >/dev/null; cat /etc/shadow || echo held";
    assertEquals(inside(box, `${script} 2>/dev/null`), "held");
    assertFails(sandbox(), { step: "unshare", code: "ENOSPC", says: "--degrade, does without" });
  } finally {
    Deno.writeTextFileSync(SETTING, before);
  }
}, noFiles ?? notRoot ?? (emulated ? undefined : "changes the host: deno task test:vm"));

const refusedHere = sandbox({ degrade: true }).degraded?.refused;

test("where nothing is refused it is the whole sandbox", () => {
  assertEquals(sandbox({ degrade: true }).steps, sandbox().steps);
}, refusedHere);

/** A machine that refuses them, as it was recorded. */
function refusing(landlockVersion: number): RecordedHost {
  return new RecordedHost({
    architecture: "x86_64",
    credentials: {
      euid: 1000,
      egid: 1000,
      groups: "own",
      inheritable: [],
      mayMapIds: false,
      mayChangeGroups: false,
      mayChangeNetwork: false,
      mayOpenMany: true,
    },
    kernel: { major: 6, minor: 8 },
    landlockVersion,
    workingDirectory: "/",
    answers: {
      'resolve("/srv/soup")': { asked: "/srv/soup", path: "/srv/soup", type: "file", id: "1:2" },
      'resolve("/srv/none")': { asked: "/srv/none", path: "/srv/none" },
      "userNamespaceRefusal()": { syscall: "mount", code: "EPERM" },
      'setting("/proc/sys/kernel/unprivileged_userns_clone")': 1,
      'setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")': 1,
    },
  });
}

test("on Ubuntu 24.04, whose Landlock does not isolate signals", () => {
  const { degraded, steps } = sandboxOn(refusing(4), { degrade: true });
  assertStringIncludes(degraded!.fix!, "AppArmor lets ordinary users do nothing");
  assert(degraded!.lacks.some((lack) => lack.includes("signals")));
  assert(steps.every(({ step }) => step !== "unshare"));
  assertEquals(sandboxOn(refusing(4), {}), {
    steps: sandbox().steps,
    degraded: undefined,
  });
});

test("a Landlock that holds no files is refused", () => {
  for (const version of [0, 2]) {
    const { message } = assertThrows(
      () => sandboxOn(refusing(version), { degrade: true }),
      UnsupportedError,
    );
    assertStringIncludes(message, "mount fails with EPERM");
    assertStringIncludes(message, version === 0 ? "it has no Landlock" : "version 2");
    assertStringIncludes(message, "AppArmor");
  }
});

test("what may be missing is shown where it is there", () => {
  const options: SandboxOptions = { degrade: true, tryRead: ["/srv/soup", "/srv/none"] };
  const { steps } = sandboxOn(refusing(7), options);
  assertEquals(steps.flatMap((step) => step.step === "landlock" ? step.execute ?? [] : []), [
    "/srv/soup",
  ]);
});

test("what cannot be held is refused", () => {
  const refused: Readonly<Record<string, SandboxOptions>> = {
    protect: { write: ["/srv"] },
    read: { write: ["/srv/"], read: ["/srv/soup"], protect: false },
    unixSockets: { unixSockets: true },
    hostname: { hostname: "kitchen" },
    tmp: { tmp: "16m" },
    shm: { shm: "16m" },
    bind: { bind: [["/srv", "/mnt"]], protect: false },
    overlay: { overlay: ["/srv"] },
    tmpfs: { tmpfs: ["/mnt"] },
    root: { root: "/srv" },
    net: { net: ["example.org"] },
    nest: { nest: true },
  };
  for (const [name, options] of Object.entries(refused)) {
    const make = () => sandboxOn(refusing(7), { degrade: true, ...options });
    const { message } = assertThrows(make, RecipeError);
    assertStringIncludes(message, `sandbox, "${name}": this machine refuses user namespaces`);
  }
});
