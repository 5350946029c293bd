/** `sysctl`. */

import { assertEquals } from "@std/assert";
import { bridge, mapRoot, recipe, sysctl, unshare } from "../../mod.ts";
import { assertFails, assertRefused, inside, root, test, testOn } from "../support.ts";

testOn(["net"], "a setting of the network is the container's own", (mounts) => {
  const path = "/proc/sys/net/ipv4/ip_forward";
  const before = Deno.readTextFileSync(path).trim();
  const other = before === "0" ? 1 : 0;
  assertEquals(
    inside(mounts.with(sysctl({ "net.ipv4.ip_forward": other })), `cat ${path}`),
    `${other}`,
  );
  assertEquals(Deno.readTextFileSync(path).trim(), before);
});

testOn(["net"], "names are taken with dots, with slashes, and with dots in a part", (mounts) => {
  const box = mounts.with(
    bridge("eth0.1"),
    sysctl({
      "net/ipv4/conf/eth0.1/forwarding": 1,
      "net.ipv4.conf.eth0/1.rp_filter": "2",
      "net.ipv4.ping_group_range": "0 0",
    }),
  );
  assertEquals(
    inside(box, "cd /proc/sys/net/ipv4; cat conf/eth0.1/forwarding conf/eth0.1/rp_filter"),
    "1\n2",
  );
});

testOn(
  ["ipc"],
  "settings of System V and of message queues are the container's own",
  (mounts, privileged) => {
    const box = mounts.with(sysctl({ "kernel.msgmax": 4096, "fs.mqueue.msg_max": 5 }));
    const shown = "cat /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max";
    // Before Linux 6.10 only the host's root may change them.
    if (privileged || mayChangeIpc()) assertEquals(inside(box, shown), "4096\n5");
  },
);

function mayChangeIpc(): boolean {
  const [major, minor] = Deno.osRelease().split(".").map(Number);
  return major! > 6 || (major === 6 && minor! >= 10);
}

test("the container has limits of its own for user namespaces", () => {
  const box = recipe(unshare("user"), mapRoot(), sysctl({ "user.max_net_namespaces": 3 }));
  const path = "/proc/sys/user/max_net_namespaces";
  const before = Deno.readTextFileSync(path);
  assertEquals(inside(box, `cat ${path}`), "3");
  assertEquals(Deno.readTextFileSync(path), before);
});

test("the host's name can be changed by its root only", () => {
  const named = (box: ReturnType<typeof recipe>) => box.with(sysctl({ "kernel.hostname": "soup" }));
  if (root) assertEquals(inside(named(recipe(unshare("uts"))), "uname -n"), "soup");
  else {
    assertFails(named(recipe(unshare("user", "uts"), mapRoot())), {
      step: "sysctl",
      code: "EACCES",
      says: "only the host's root may change",
    });
  }
});

test("settings of the host are refused, with the namespace that is needed", () => {
  const refused = (name: string, says: string) =>
    assertRefused(() => recipe(unshare("user", "mount"), mapRoot(), sysctl({ [name]: 1 })), {
      step: "sysctl",
      at: 2,
      says,
    });
  refused("vm.swappiness", "a setting of the whole host");
  refused("kernel.pid_max", "a setting of the whole host");
  refused("kernel.core_pattern", "a setting of the whole host");
  refused("kernel.sem.x", "a setting of the whole host");
  refused("fs.file-max", "a setting of the whole host");
  refused("net.ipv4.ip_forward", 'put unshare("net") before it');
  refused("kernel.shmmax", 'put unshare("ipc") before it');
  refused("kernel.hostname", 'put unshare("uts") before it');
  assertRefused(() => recipe(sysctl({ "user.max_user_namespaces": 0 })), {
    says: 'put unshare("user") before it',
  });
});

test("names that lead out of /proc/sys are refused", () => {
  for (
    const name of [
      "net",
      "net/../vm/swappiness",
      "net..x",
      "/net/x",
      ".net.x",
      "net/",
      "",
      "net/./x",
    ]
  ) {
    assertRefused(() => recipe(unshare("net"), sysctl({ [name]: 1 })), {
      step: "sysctl",
      says: "",
    });
  }
});

testOn(
  ["net"],
  "a missing setting and an invalid value are reported",
  (mounts) => {
    assertFails(mounts.with(sysctl({ "net.ipv4.no_such_setting": 1 })), {
      step: "sysctl",
      code: "ENOENT",
      says: "no such setting",
    });
    assertFails(mounts.with(sysctl({ "net.ipv4.ip_forward": "soup" })), {
      step: "sysctl",
      code: "EINVAL",
      says: "does not take this value",
    });
  },
);
