/** `sysctl`. */

import { assertEquals } from "@std/assert";
import { bridge, mapRoot, proc, recipe, sysctl, unshare } from "../../mod.ts";
import { assertFails, assertRefused, inside, notRoot, root, test, testOn } from "../support.ts";

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
    if (privileged || since(6, 10)) assertEquals(inside(box, shown), "4096\n5");
  },
);

/** Whether the kernel has this version or a later one. */
function since(wantedMajor: number, wantedMinor: number): boolean {
  const [major, minor] = Deno.osRelease().split(".").map(Number) as [number, number];
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

testOn(["mount", "pid"], "a pid namespace counts on from its own last number", (mounts) => {
  const box = mounts.with(proc(), sysctl({ "kernel.ns_last_pid": 1000 }));
  assertEquals(inside(box, "sh -c 'echo $$' | cat").length, 4);
});

/** A setting that the pid namespace has of its own from a version of Linux on. */
function testPidSetting(name: string, value: number, lack: string | undefined): void {
  testOn(["mount", "pid"], `${name} is a setting of the pid namespace`, (mounts) => {
    const path = `/proc/sys/${name.replace(".", "/")}`;
    const before = Deno.readTextFileSync(path);
    const box = mounts.with(proc(), sysctl({ [name]: value }));
    assertEquals(inside(box, `cat ${path}`), String(value));
    assertEquals(Deno.readTextFileSync(path), before);
  }, lack);
}

testPidSetting("kernel.pid_max", 1000, since(6, 14) ? undefined : "needs Linux 6.14");
testPidSetting("vm.memfd_noexec", 1, since(6, 3) ? notRoot : "needs Linux 6.3");

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
  refused("kernel.pid_max", since(6, 14) ? 'put unshare("pid")' : "a setting of the whole host");
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
