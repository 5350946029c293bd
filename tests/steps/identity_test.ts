/** `setUser`, `capabilities` and `noNewPrivileges`. */

import { assertEquals } from "@std/assert";
import {
  CAPABILITIES,
  capabilities,
  type CapabilityName,
  type CapabilitySets,
  mapCurrentUser,
  mapRoot,
  noNewPrivileges,
  recipe,
  setUser,
  tmpfs,
  unshare,
} from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  inside,
  notOrdinary,
  notRoot,
  root,
  test,
  testOn,
} from "../support.ts";

const box = recipe(unshare("user"), mapRoot());

test("root can change to any user and groups", () => {
  const ids = (step: ReturnType<typeof setUser>) =>
    inside(recipe(step), "grep -E '^(Uid|Gid|Groups):' /proc/self/status")
      .replaceAll(/[\t ]+/g, " ").trimEnd();
  assertEquals(
    ids(setUser({ uid: 1000, gid: 100, groups: [4, 24] })),
    "Uid: 1000 1000 1000 1000\nGid: 100 100 100 100\nGroups: 4 24",
  );
  assertEquals(
    ids(setUser({ uid: 1000 })),
    "Uid: 1000 1000 1000 1000\nGid: 1000 1000 1000 1000\nGroups:",
  );
  assertEquals(
    ids(setUser({ uid: 4294967294 })).split("\n")[0],
    "Uid: 4294967294 4294967294 4294967294 4294967294",
  );
}, notRoot);

test("a user other than root has no capabilities", () => {
  assertEquals(sets(recipe(setUser({ uid: 1000 }))), {
    ...sets(recipe()),
    CapPrm: [],
    CapEff: [],
    CapInh: [],
    CapAmb: [],
  });
}, notRoot);

test("the caller's user can be set if it is mapped", () => {
  assertEquals(inside(box.with(setUser({ uid: 0 })), "id -u; id -g"), "0\n0");
  const [uid, gid] = [Deno.uid()!, Deno.gid()!];
  const current = recipe(unshare("user"), mapCurrentUser(), setUser({ uid, gid }));
  assertEquals(inside(current, "id -u; id -g"), `${uid}\n${gid}`);
});

test("unmapped ids are reported", () => {
  assertFails(box.with(setUser({ uid: 1000 })), {
    step: "setUser",
    at: 2,
    code: "EINVAL",
    says: "mapIds() maps more than one",
  });
});

test("groups are refused if setgroups is denied", () => {
  assertRefused(() => box.with(setUser({ uid: 0, groups: [] })), {
    step: "setUser",
    at: 2,
    says: 'setgroups: "allow"',
  });
});

test("an unprivileged user cannot change the user, and the error says why", () => {
  assertFails(recipe(setUser({ uid: 0 })), {
    step: "setUser",
    at: 0,
    code: "EPERM",
    says: "CAP_SETGID",
  });
}, notOrdinary);

test("invalid ids are refused", () => {
  for (const wrong of [-1, 4294967295, 1.5, "0" as never, undefined as never]) {
    assertRefused(() => recipe(setUser({ uid: wrong })), { step: "setUser", at: 0, says: "" });
  }
  assertRefused(() => recipe(setUser({ uid: 0, groups: [1, -1] })), {
    step: "setUser",
    at: 0,
    says: "number 2",
  });
});

const NAMES = Object.keys(CAPABILITIES) as CapabilityName[];

/** The five capability sets of the program. */
function sets(box: ReturnType<typeof recipe>): Record<string, CapabilityName[]> {
  const lines = inside(box, "grep ^Cap /proc/self/status").split("\n");
  return Object.fromEntries(lines.map((line) => {
    const [name, hex] = line.split(":\t") as [string, string];
    const bits = BigInt(`0x${hex}`);
    return [name, NAMES.filter((name) => bits >> BigInt(CAPABILITIES[name]) & 1n)];
  }));
}

testOn([], "the bounding set holds root to less", (mounts) => {
  const kept: CapabilityName[] = ["CAP_CHOWN", "CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN"];
  const seen = sets(mounts.with(capabilities({ bounding: kept })));
  assertEquals([seen["CapBnd"], seen["CapEff"], seen["CapPrm"]], [kept, kept, kept]);
  const none = sets(mounts.with(capabilities({ bounding: [] })));
  assertEquals([none["CapBnd"], none["CapEff"], none["CapPrm"]], [[], [], []]);
});

testOn([], "a set that is not given stays as it is, when none is", (mounts) => {
  assertEquals(sets(mounts.with(capabilities({}))), sets(mounts));
});

testOn([], "the inheritable set holds what is listed", (mounts) => {
  const seen = sets(
    mounts.with(capabilities({ inheritable: ["CAP_KILL"], permitted: ["CAP_KILL"] })),
  );
  assertEquals(seen["CapInh"], ["CAP_KILL"]);
  assertEquals(seen["CapAmb"], []);
});

test("a program of a user other than root keeps only the ambient capabilities", () => {
  const ambient: CapabilityName[] = ["CAP_NET_RAW", "CAP_SYS_TIME"];
  const current = recipe(unshare("user"), mapCurrentUser(), capabilities({ ambient }));
  const seen = sets(current);
  if (root) {
    assertEquals(seen["CapAmb"], ambient);
    return;
  }
  assertEquals(seen, {
    ...seen,
    CapInh: ambient,
    CapPrm: ambient,
    CapEff: ambient,
    CapAmb: ambient,
  });
});

test("root can keep ambient capabilities when it changes to another user", () => {
  const box = recipe(
    setUser({ uid: 0 }),
    capabilities({ bounding: ["CAP_KILL"], ambient: ["CAP_KILL"] }),
  );
  assertEquals(sets(box), {
    CapInh: ["CAP_KILL"],
    CapPrm: ["CAP_KILL"],
    CapEff: ["CAP_KILL"],
    CapBnd: ["CAP_KILL"],
    CapAmb: ["CAP_KILL"],
  });
}, notRoot);

testOn([], "the permitted and effective sets count for the steps behind them", (mounts) => {
  // sethostname(2) needs an effective CAP_SYS_ADMIN; the uts namespace is made before.
  const steps = (kept: CapabilitySets) =>
    mounts.with(unshare("uts"), capabilities(kept), { step: "hostname", name: "soup" });
  assertEquals(inside(steps({ permitted: ["CAP_SYS_ADMIN"] }), "uname -n"), "soup");
  for (
    const kept of [{ permitted: ["CAP_SYS_ADMIN"], effective: [] }, { permitted: ["CAP_KILL"] }, {
      effective: ["CAP_KILL"],
    }] as CapabilitySets[]
  ) {
    assertFails(steps(kept), { step: "hostname", code: "EPERM", says: "" });
  }
});

test("sets that contradict each other, and unknown names, are refused", () => {
  const cases: [CapabilitySets, string][] = [
    [{ permitted: [], effective: ["CAP_KILL"] }, 'CAP_KILL is not in "permitted"'],
    [{ permitted: [], ambient: ["CAP_KILL"] }, 'CAP_KILL is not in "permitted"'],
    [{ inheritable: [], ambient: ["CAP_KILL"] }, 'CAP_KILL is not in "inheritable"'],
    [{ bounding: ["CAP_KIL" as never] }, 'did you mean "CAP_KILL"?'],
    [{ bounding: ["cap_kill" as never] }, 'did you mean "CAP_KILL"?'],
    [{ bounding: "CAP_KILL" as never }, "should be a list"],
  ];
  for (const [given, says] of cases) {
    assertRefused(() => box.with(capabilities(given)), { step: "capabilities", at: 2, says });
  }
});

test("capabilities that the caller lacks are reported", () => {
  assertFails(recipe(capabilities({ permitted: ["CAP_KILL"] })), {
    step: "capabilities",
    at: 0,
    code: "EPERM",
    says: "can only keep capabilities that it has",
  });
  assertFails(recipe(capabilities({ bounding: [] })), { at: 0, code: "EPERM", says: "capability" });
}, notOrdinary);

testOn([], "noNewPrivileges is set, and stays", (mounts) => {
  const script = "grep NoNewPrivs /proc/self/status; sh -c 'grep NoNewPrivs /proc/self/status'";
  assertEquals(inside(mounts.with(noNewPrivileges()), script), "NoNewPrivs:\t1\nNoNewPrivs:\t1");
  assertEquals(inside(mounts, script), "NoNewPrivs:\t0\nNoNewPrivs:\t0");
});

test("a step that lacks a capability which an earlier one has dropped says so", () => {
  const box = recipe(
    unshare("user", "mount"),
    mapRoot(),
    capabilities({ keep: [] }),
    tmpfs("/mnt"),
  );
  const says = "step 3 (capabilities) may have dropped the capability for this; put it after";
  assertFails(box, { step: "tmpfs", code: "EPERM", says });
});
