/** `mapRoot`, `mapCurrentUser` and `mapIds`. */

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  hostname,
  mapCurrentUser,
  mapIds,
  mapRoot,
  proc,
  recipe,
  setUser,
  tmpfs,
  unshare,
  UnsupportedError,
} from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  inDirectory,
  inside,
  notOrdinary,
  notRoot,
  root,
  test,
} from "../support.ts";

const uid = Deno.uid()!;
const gid = Deno.gid()!;

const READ_MAPS = `cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups | tr -s ' '`;

test("mapRoot makes the caller root, and denies setgroups", () => {
  const box = recipe(unshare("user"), mapRoot());
  assertEquals(inside(box, "id -u; id -g"), "0\n0");
  assertEquals(inside(box, READ_MAPS), ` 0 ${uid} 1\n 0 ${gid} 1\ndeny`);
});

test("files of mapRoot's root belong to the caller on the host", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const box = recipe(unshare("user"), mapRoot());
    inside(box, `touch ${directory}/a`);
    const { uid: owner, gid: group } = Deno.statSync(`${directory}/a`);
    assertEquals([owner, group], [uid, gid]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("mapCurrentUser keeps the ids", () => {
  const box = recipe(unshare("user"), mapCurrentUser());
  assertEquals(inside(box, "id -u; id -g"), `${uid}\n${gid}`);
  assertEquals(inside(box, READ_MAPS), ` ${uid} ${uid} 1\n ${gid} ${gid} 1\ndeny`);
});

test("mapIds maps the caller's id to any other", () => {
  const box = recipe(
    unshare("user"),
    mapIds({
      uids: [{ inside: 1000, outside: uid, count: 1 }],
      gids: [{ inside: 100, outside: gid, count: 1 }],
    }),
  );
  assertEquals(inside(box, "id -u; id -g"), "1000\n100");
  assertEquals(inside(box, READ_MAPS), ` 1000 ${uid} 1\n 100 ${gid} 1\ndeny`);
});

const SEVERAL = mapIds({
  uids: [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 65535 }],
  gids: [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 200000, count: 65535 }],
});

test("mapIds maps several ranges for root, and allows setgroups", () => {
  const box = recipe(unshare("user"), SEVERAL);
  assertEquals(
    inside(box, READ_MAPS),
    " 0 0 1\n 1 100000 65535\n 0 0 1\n 1 200000 65535\nallow",
  );
}, notRoot);

test("with several ranges a program can change its user and groups", () => {
  const box = recipe(unshare("user"), SEVERAL, setUser({ uid: 1000, gid: 100, groups: [4, 24] }));
  assertEquals(inside(box, "id -u; id -g; id -G"), "1000\n100\n100 4 24");
}, notRoot);

test("mapIds may deny setgroups for several ranges", () => {
  const box = recipe(unshare("user"), mapIds({ ...SEVERAL, setgroups: "deny" }));
  assertStringIncludes(inside(box, READ_MAPS), "deny");
}, notRoot);

test("mapIds may allow setgroups for the caller's id alone, as root", () => {
  const own = { inside: 0, outside: 0, count: 1 };
  const box = recipe(unshare("user"), mapIds({ uids: [own], gids: [own], setgroups: "allow" }));
  assertStringIncludes(inside(box, READ_MAPS), "allow");
}, notRoot);

test("a container whose own ids are not mapped becomes root, or the first id", () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o777);
    for (const [first, uid] of [[0, 100000], [500, 100000]] as const) {
      const range = [{ inside: first, outside: uid, count: 1000 }];
      const box = recipe(unshare("user"), mapIds({ uids: range, gids: range }));
      const file = `${directory}/${first}`;
      assertEquals(
        inside(box, `touch ${file}; id -u; id -g; id -G`),
        `${first}\n${first}\n${first}`,
      );
      const made = Deno.statSync(file);
      assertEquals([made.uid, made.gid], [uid, uid]);
    }
    // Of the two only the group is not mapped.
    const uids = [{ inside: 7, outside: 0, count: 1 }];
    const gids = [{ inside: 0, outside: 100000, count: 10 }];
    const box = recipe(unshare("user"), mapIds({ uids, gids }));
    assertEquals(inside(box, "id -u; id -g"), "7\n0");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}, notRoot);

test("steps before and after maps of several ranges are made", () => {
  const box = recipe(
    unshare("user", "uts", "mount", "pid"),
    hostname("soup"),
    SEVERAL,
    tmpfs("/tmp"),
    proc(),
  );
  assertEquals(inside(box, "uname -n; echo $$; ls -A /tmp"), "soup\n1");
}, notRoot);

test("a map of 340 ranges is written, and one of 341 or of more than a page is refused", () => {
  const ranges = (count: number, outside = 1000) =>
    Array.from({ length: count }, (_, i) => ({ inside: i * 2, outside: outside + i, count: 1 }));
  if (root) {
    const box = recipe(unshare("user"), mapIds({ uids: ranges(340), gids: ranges(340) }));
    assertEquals(inside(box, "wc -l < /proc/self/uid_map"), "340");
  }
  assertRefused(() => recipe(unshare("user"), mapIds({ uids: ranges(341), gids: ranges(1) })), {
    step: "mapIds",
    at: 1,
    says: "more than 340",
  });
  assertRefused(
    () => recipe(unshare("user"), mapIds({ uids: ranges(340, 1e9), gids: ranges(1) })),
    {
      step: "mapIds",
      at: 1,
      says: "bytes as a map",
    },
  );
});

test("the error of an unprivileged user without /etc/subuid says what is missing", () => {
  const box = recipe(
    unshare("user"),
    mapIds({
      uids: [{ inside: 0, outside: uid, count: 1 }, { inside: 1, outside: 100000, count: 10 }],
      gids: [{ inside: 0, outside: gid, count: 1 }, { inside: 1, outside: 100000, count: 10 }],
    }),
  );
  const error = assertThrows(() => box.command("true").outputSync(), UnsupportedError);
  assertMatch(error.message, /^step 2 \(mapIds\): .*newuidmap/);
  assertMatch(error.message, /\n {2}.*subuid|\(Debian: uidmap\)/);
  assertEquals([error.step, error.stepIndex], ["mapIds", 1]);
}, notOrdinary);

test(
  "newuidmap gets no variable of the script's but PATH",
  inDirectory((bin) => {
    const script = "#!/bin/sh\n/usr/bin/tr '\\0' ' ' < /proc/$$/environ >&2\nexit 1\n";
    Deno.writeTextFileSync(`${bin}/newuidmap`, script, { mode: 0o755 });
    const path = Deno.env.get("PATH")!;
    Deno.env.set("PATH", bin);
    try {
      const ids = [{ inside: 0, outside: uid, count: 1 }, {
        inside: 1,
        outside: 100000,
        count: 10,
      }];
      const box = recipe(unshare("user"), mapIds({ uids: ids, gids: ids }));
      const error = assertThrows(() => box.command("/bin/true").outputSync(), UnsupportedError);
      assertEquals(error.issue.split("\n")[0]!.split(": ")[1], `PATH=${bin}`);
    } finally {
      Deno.env.set("PATH", path);
    }
  }),
  notOrdinary,
);

test("ids that contradict each other are refused", () => {
  const own = [{ inside: 0, outside: 0, count: 1 }];
  const cases: [typeof own, string][] = [
    [[{ inside: 0, outside: 0, count: 2 }, { inside: 1, outside: 9, count: 1 }], "overlap inside"],
    [[{ inside: 0, outside: 5, count: 2 }, { inside: 7, outside: 6, count: 1 }], "overlap outside"],
    [[{ inside: 0, outside: 4294967290, count: 6 }], "beyond the last id"],
    [[{ inside: 0, outside: 0, count: 0 }], "not a whole number from 1"],
    [[{ inside: -1, outside: 0, count: 1 }], '"inside"'],
    [[], "needs at least one"],
  ];
  for (const [uids, says] of cases) {
    assertRefused(() => recipe(unshare("user"), mapIds({ uids, gids: own })), {
      step: "mapIds",
      at: 1,
      says,
    });
    assertRefused(() => recipe(unshare("user"), mapIds({ uids: own, gids: uids })), {
      step: "mapIds",
      at: 1,
      says,
    });
  }
});

test("root of a container is an ordinary user in a nested user namespace", () => {
  const box = recipe(
    unshare("user", "mount"),
    mapRoot(),
    tmpfs("/tmp"),
    unshare("user"),
    mapIds({
      uids: [{ inside: 1000, outside: 0, count: 1 }],
      gids: [{ inside: 100, outside: 0, count: 1 }],
    }),
  );
  assertEquals(inside(box, "id -u; id -g; ls -A /tmp"), "1000\n100");
  const twice = recipe(unshare("user"), mapRoot(), unshare("user"), mapCurrentUser());
  assertEquals(inside(twice, "id -u; tr -s ' ' < /proc/self/uid_map"), "0\n 0 0 1");
});

test("a map of more than the own id is refused in a nested user namespace", () => {
  assertRefused(() => recipe(unshare("user"), mapRoot(), unshare("user"), SEVERAL), {
    step: "mapIds",
    at: 3,
    says: "only the process's own id",
  });
});

test("a second map, and one without a user namespace, are refused", () => {
  assertRefused(() => recipe(unshare("user"), mapRoot(), mapCurrentUser()), {
    step: "mapCurrentUser",
    at: 2,
    says: "the ids are mapped already",
  });
  assertRefused(() => recipe(unshare("uts"), mapRoot()), {
    step: "mapRoot",
    at: 1,
    says: 'put unshare("user") before it',
  });
  assertRefused(() => recipe(SEVERAL), { step: "mapIds", at: 0, says: 'unshare("user")' });
});

test("the kernel's error for a map of ids that are not the caller's has a fix", () => {
  const box = recipe(unshare("user"), mapRoot(), setUser({ uid: 7 }));
  assertFails(box, { step: "setUser", at: 2, code: "EINVAL", says: "not mapped" });
});
