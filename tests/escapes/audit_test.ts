/** An audit is no way out: the filter denies what it denies without one. */

import { assertEquals, assertMatch } from "@std/assert";
import { sandbox } from "../../mod.ts";
import { test } from "../support.ts";
import { program } from "./support.ts";

/** Runs an attack in an audited sandbox; returns its status and what it says. */
async function audited(attack: string): Promise<{ code: number; issue: string; count: number }> {
  const container = sandbox({ read: ["/etc/passwd"] }).command("perl", {
    args: ["-e", program(attack)],
    audit: true,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const { code, stderr } = await container.output();
  return {
    code,
    issue: new TextDecoder().decode(stderr).trim(),
    count: container.denials.list.length,
  };
}

test("calls that are denied fail, also with the mark of the launch's own", async () => {
  const mark = 0x7261_6d6b;
  for (const last of [0, mark]) {
    for (
      const call of [
        `call("unshare", 0x10000000, 0, 0, 0, 0, ${last})`,
        `call("socket", 1, 1, 0, 0, 0, ${last})`,
        `call("keyctl", 0, -3, 0, 0, 0, ${last})`,
        `my $path = "/tmp"; call("chmod", $path, 06755, 0, 0, 0, ${last})`,
      ]
    ) {
      const { code, issue } = await audited(call);
      assertEquals(code === 0, false, `${call} is made`);
      assertMatch(issue, /Operation not permitted|not supported by protocol/);
    }
  }
});

test("a path that cannot be read, or ends with the memory, is the kernel's to judge", async () => {
  const { issue } = await audited(
    `for (1, 4095, 1 << 46) { eval { call("open", $_ + 0, 0) }; print STDERR $@ }`,
  );
  assertMatch(issue, /^(open: Bad address\s*){3}$/);
});

test("the program has no descriptor of the listener", async () => {
  const { code } = await audited(`
    opendir(my $open, "/proc/self/fd");
    for (grep { /^[0-9]/ } readdir $open) {
      my $to = readlink("/proc/self/fd/$_") // "";
      exit 1 if $to =~ /seccomp|socket/;
    }
  `);
  assertEquals(code, 0);
});

test("denials without end do not fill the script's memory", async () => {
  const { count } = await audited(`
    open(my $x, ">", "/usr/$_") for 1 .. 11_000;
  `);
  assertEquals(count, 10_000);
});
