/** Escapes by files: out of the root, and by files on bound directories. */

import { assertEquals } from "@std/assert";
import { mapCurrentUser, recipe, sandbox, seccomp, unshare } from "../../mod.ts";
import { inDirectory, notRoot, root, test } from "../support.ts";
import { assertNeedsAll, assertStopped, escape, program, SECRET } from "./support.ts";

const DENIED = /Operation not permitted/;

escape("the double chroot", {
  attack: (directory) =>
    String.raw`
      mkdir "/tmp/jail" or die "mkdir: $!\n";
      call("chroot", "/tmp/jail");
      call("chdir", "..") for 1 .. 64;
      call("chroot", ".");
      take("${directory}/secret");
    `,
  lacking: ["pivotRoot", "capabilities"],
  says: DENIED,
});

const GRANT = (directory: string) => ({ read: [directory] });

escape("writing to what may be read", {
  attack: (directory) => `writable("${directory}/secret")`,
  lacking: ["readOnly"],
  options: GRANT,
  says: /Read-only file system/,
});

/** MS_REMOUNT and MS_BIND. */
const REMOUNT = 0x1020;

escape("making a read-only mount writable", {
  attack: (directory) =>
    String.raw`
      call("mount", 0, "${directory}", 0, ${REMOUNT}, 0);
      writable("${directory}/secret");
    `,
  lacking: ["seccomp", "capabilities", "the second user namespace"],
  options: GRANT,
  says: DENIED,
});

escape("mounting over /proc, to feign what is there", {
  attack: String.raw`call("mount", "none", "/proc", "tmpfs", 0, 0)`,
  lacking: ["seccomp", "capabilities", "the second user namespace"],
  says: DENIED,
});

escape("uncovering what is hidden", {
  attack: String.raw`call("umount2", "/proc/keys", 2)`,
  lacking: ["seccomp", "capabilities", "the second user namespace"],
  says: DENIED,
});

escape("uncovering what is hidden by a copy of the mount below", {
  attack: String.raw`
    my $tree = call("open_tree", -100, "/proc", 1);
    open(my $keys, "<", "/proc/self/fd/$tree/keys") or die "keys: $!\n";
    -c $keys and die "keys are hidden\n";
  `,
  lacking: ["seccomp", "capabilities", "the second user namespace"],
  says: DENIED,
});

/** A harmless device in place of a disk: /dev/zero under another name. */
escape("making a device file", {
  attack: String.raw`
    call("mknodat", -100, "/dev/stolen", 020666, 0x105);
    open(my $device, "<", "/dev/stolen") or die "open: $!\n";
    sysread($device, my $byte, 1) == 1 or die "read: $!\n";
  `,
  lacking: ["capabilities", "the user namespaces"],
  says: /Operation not permitted|Permission denied/,
  harmless: notRoot,
});

test(
  "opening a file by its handle, which needs no path (the shocker)",
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/secret`, SECRET);
    Deno.mkdirSync(`${directory}/shown`);
    const attack = String.raw`
      my $handle = pack("H*", "${handleOf(`${directory}/secret`)}");
      open(my $mount, "<", "${directory}/shown") or die "open: $!\n";
      my $file = call("open_by_handle_at", fileno $mount, $handle, 0);
      open(my $secret, "<&=", $file) or die "fdopen: $!\n";
      <$secret> eq "${SECRET}" or die "it is another file\n";
    `;
    const box = sandbox({ read: [`${directory}/shown`] });
    if (root) assertNeedsAll(box, ["seccomp", "capabilities", "the user namespaces"], attack);
    assertStopped(box, attack, DENIED);
  }),
);

/** A file's struct file_handle, in hexadecimal digits. */
function handleOf(path: string): string {
  const script = program(String.raw`
    my ($handle, $mount) = (pack("Ll", 128, 0) . "\0" x 128, "\0" x 8);
    syscall(number("name_to_handle_at"), -100, my $path = "${path}", $handle, $mount, 0) == 0
      or die "name_to_handle_at: $!\n";
    print unpack("H*", $handle);
  `);
  const { stdout, success } = new Deno.Command("perl", { args: ["-e", script] }).outputSync();
  assertEquals(success, true);
  return new TextDecoder().decode(stdout);
}

/** The host's files, without capabilities but with the same user id. */
const SAME_FILES = recipe(unshare("user", "mount"), mapCurrentUser(), seccomp());

for (const device of ["/dev/null", "/dev/zero", "/dev/stdin", "/proc/keys"]) {
  escape(`changing the mode of the host's device at ${device}`, {
    // The value is not changed.
    attack: String.raw`
      my $mode = (stat "${device}")[2] & 07777 or die "stat: $!\n";
      call("fchmodat", -100, "${device}", $mode);
    `,
    lacking: SAME_FILES,
    says: /Read-only file system/,
    harmless: notRoot ?? (device === "/proc/keys" ? "outside it is no device" : undefined),
  });
}

/** Another user than that of the sandbox. */
const OTHER = 65534;

test(
  "a setuid program, which makes one another user",
  inDirectory((directory) => {
    Deno.copyFileSync("/usr/bin/perl", `${directory}/perl`);
    Deno.chownSync(`${directory}/perl`, OTHER, OTHER);
    Deno.chmodSync(`${directory}/perl`, 0o4755);
    const box = sandbox({ read: [directory] });
    const attack = String.raw`
      my $user = qx(${directory}/perl -e 'print \$>');
      $user eq "${OTHER}" or die "the user is $user\n";
    `;
    assertNeedsAll(box, ["nosuid", "noNewPrivileges", "seccomp", "the user namespaces"], attack);
    assertStopped(box, attack, /the user is 0/);
  }),
  notRoot,
);
