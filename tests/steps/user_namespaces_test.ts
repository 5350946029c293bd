/** `disableUserNamespaces`, and with it `capabilities({ keep })`. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  capabilities,
  disableUserNamespaces,
  init,
  mapCurrentUser,
  mapRoot,
  noNewPrivileges,
  proc,
  recipe,
  seccomp,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { assertRefused, failing, inside, root, test } from "../support.ts";

const FULL = "No space left on device";

test("no user namespace can be made, whatever the user of the program", () => {
  for (const map of [mapRoot(), mapCurrentUser()]) {
    const box = recipe(unshare("user"), map, disableUserNamespaces());
    assertStringIncludes(failing(box, "unshare -U true"), FULL);
    inside(recipe(unshare("user"), map), "unshare -U true");
  }
});

test("the program cannot change the limit", () => {
  const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), disableUserNamespaces());
  const raise = "echo 1000 > /proc/sys/user/max_user_namespaces";
  assertStringIncludes(failing(box, `${raise}; unshare -U true`), FULL);
  assertStringIncludes(failing(box, "nsenter -t 1 -U true"), "");
  assertStringIncludes(failing(box, `setpriv --bounding-set -all unshare -U true`), FULL);
});

test("the program keeps its ids, and has no privileges in the container's other namespaces", () => {
  const asRoot = recipe(unshare("user", "mount"), mapRoot(), disableUserNamespaces());
  assertEquals(inside(asRoot, "id -u; id -g"), "0\n0");
  failing(asRoot, "mount -t tmpfs none /mnt");
  const same = recipe(unshare("user"), mapCurrentUser(), disableUserNamespaces());
  assertEquals(inside(same, "id -u"), String(Deno.uid()));
  const mounted = asRoot.with(tmpfs("/mnt"));
  assertRefused(() => mounted.command("true") && mounted, { step: "tmpfs", at: 3, says: "later" });
});

test("it works with an init, without capabilities and with a filter", () => {
  const box = recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    proc(),
    init(),
    disableUserNamespaces(),
    capabilities({ keep: [] }),
    noNewPrivileges(),
    seccomp({ allow: ["@namespaces"] }),
  );
  assertStringIncludes(failing(box, "unshare -U true"), FULL);
  assertEquals(inside(box, "grep -h Cap /proc/self/status | grep -v 0000000000000000 || true"), "");
});

test("it has to be after the id map, and before capabilities", () => {
  const says = "mapRoot()";
  assertRefused(() => recipe(unshare("user"), disableUserNamespaces()), { at: 1, says });
  assertRefused(() => recipe(disableUserNamespaces()), { at: 0, says: 'unshare("user")' });
  assertRefused(
    () => recipe(unshare("user"), mapRoot(), capabilities({ keep: [] }), disableUserNamespaces()),
    { step: "disableUserNamespaces", at: 3, says: "put capabilities() after it" },
  );
});

test("only the kept capabilities are left in every set, for root", () => {
  const caps = (box: ReturnType<typeof recipe>) =>
    inside(box, "grep ^Cap /proc/self/status | cut -f2").split("\n").map((x) => parseInt(x, 16));
  const mounts = recipe(unshare("user"), mapRoot());
  assertEquals(caps(mounts.with(capabilities({ keep: [] }))), [0, 0, 0, 0, 0]);
  const CHOWN = 1, NET_BIND_SERVICE = 1 << 10;
  const kept = CHOWN | NET_BIND_SERVICE;
  const some = capabilities({ keep: ["CAP_CHOWN", "CAP_NET_BIND_SERVICE"] });
  assertEquals(caps(mounts.with(some)), [kept, kept, kept, kept, kept]);
  if (root) assertEquals(caps(recipe(some)), [kept, kept, kept, kept, kept]);
});

test("an unprivileged user has the kept capabilities too", () => {
  const box = recipe(
    unshare("user"),
    mapCurrentUser(),
    capabilities({ keep: ["CAP_SYS_CHROOT"] }),
  );
  inside(box, "chroot / true");
  assertEquals(inside(box, "id -u"), String(Deno.uid()));
});

test("keep cannot be combined with other sets", () => {
  assertRefused(() => recipe(capabilities({ keep: [], bounding: [] })), {
    step: "capabilities",
    says: '"keep" cannot be combined with other sets',
  });
  assertRefused(() => recipe(capabilities({ keep: ["CAP_CHWN" as never] })), {
    says: 'did you mean "CAP_CHOWN"?',
  });
});
