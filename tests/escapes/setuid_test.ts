/** Escapes by set-user-ID and set-group-ID files that stay in a directory of the host's. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { sandbox } from "../../mod.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { failing, inDirectory, inside, test } from "../support.ts";
import { escape, unknownHere } from "./support.ts";

const NUMBERS = allSyscalls(Deno.build.arch);
const OPENAT = NUMBERS.get("openat");
const CREATE = 0o101, TMPFILE = 0o2000_0000 | (Deno.build.arch === "x86_64" ? 0o20_0000 : 0o4_0000);
const WRITE = 1, EMPTY_PATH = 0x1000, AT_FDCWD = -100;

/** Ways to make `$file` with the bits of `$mode`. */
const WAYS: Readonly<Record<string, string>> = {
  chmod: `make(0); call("chmod", $file, $mode)`,
  fchmod: `my $fd = make(0); call("fchmod", $fd, $mode)`,
  fchmodat: `make(0); call("fchmodat", ${AT_FDCWD}, $file, $mode)`,
  fchmodat2: `my $fd = make(0); call("fchmodat2", $fd, "", $mode, ${EMPTY_PATH})`,
  creat: `call("creat", $file, $mode)`,
  mknod: `call("mknod", $file, 0100000 | $mode, 0)`,
  mknodat: `call("mknodat", ${AT_FDCWD}, $file, 0100000 | $mode, 0)`,
  open: `call("open", $file, ${CREATE}, $mode)`,
  openat: `call("openat", ${AT_FDCWD}, $file, ${CREATE}, $mode)`,
  openat2: `call("openat2", ${AT_FDCWD}, $file, pack("QQQ", ${CREATE}, $mode, 0), 24)`,
  "open with O_TMPFILE": `
    my $fd = call("open", $directory, ${TMPFILE | WRITE}, $mode);
    my $link = "/proc/self/fd/$fd";
    call("linkat", ${AT_FDCWD}, $link, ${AT_FDCWD}, $file, 0x400)`,
  "openat with O_TMPFILE": `
    my $fd = call("openat", ${AT_FDCWD}, $directory, ${TMPFILE | WRITE}, $mode);
    my $link = "/proc/self/fd/$fd";
    call("linkat", ${AT_FDCWD}, $link, ${AT_FDCWD}, $file, 0x400)`,
};

/** Why a call that is newer than others cannot be made here. */
function missing(way: string): string | undefined {
  if (way !== "fchmodat2") return undefined;
  return unknownHere(String.raw`
    syscall(number("fchmodat2"), -1, my $path = "", 0, 0) == -1 && $!{ENOSYS} and die "$!\n";
  `);
}

for (const [way, make] of Object.entries(WAYS)) {
  for (const [bits, mode] of [["set-user-ID", "04755"], ["set-group-ID", "02755"]] as const) {
    escape(`a ${bits} file by ${way}`, {
      attack: (directory) =>
        String.raw`
        my ($directory, $file, $mode) = ("${directory}", "${directory}/planted", ${mode});
        umask 0;
        sub make {
          open(my $made, ">", $file) or die "open: $!\n";
          call("dup", fileno $made)
        }
        unlink $file;
        ${make};
        (stat $file)[2] & 06000 or die "it has no such bit\n";
        unlink $file;
      `,
      lacking: ["seccomp"],
      options: (directory) => ({ write: [directory] }),
      says: way === "openat2" ? /Function not implemented/ : /Operation not permitted/,
      skip: NUMBERS.has(way.split(" ")[0]!) ? missing(way) : "this architecture has no such call",
    });
  }
}

test(
  "modes without those bits, inherited ones, and flags without a mode, are as outside",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/shared`);
    Deno.chmodSync(`${directory}/shared`, 0o2777);
    const box = sandbox({ write: [directory] });
    const script = `cd ${directory}; umask 0
      install -m 755 /bin/true program; ./program
      mkdir -m 1777 sticky; mkfifo -m 600 pipe; mkdir shared/inner
      stat -c %a program sticky pipe shared/inner | xargs`;
    assertEquals(inside(box, script), "755 1777 600 2777");
    // Where open(2) makes no file, its mode is whatever was in the register.
    const open =
      `my $path = "${directory}/program"; exit(syscall(${OPENAT}, -100, $path, 0, 06777) < 0)`;
    inside(box, `perl -e '${open}'`);
  }),
);

test(
  "tools that copy such a file copy its text, and say that its bits are not; an option lifts it",
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "soup");
    Deno.chmodSync(`${directory}/file`, 0o6755);
    const box = sandbox({ write: [directory] });
    const lifted = sandbox({ write: [directory], setuidFiles: true });
    const copied = () => {
      const bits = Deno.statSync(`${directory}/to/file`).mode! & 0o6000;
      return [Deno.readTextFileSync(`${directory}/to/file`), bits];
    };
    for (const tool of ["cp -p file to/file", "tar -cf - file | tar -C to -xpf -"]) {
      const script = `cd ${directory}; rm -rf to; mkdir to; ${tool}`;
      assertStringIncludes(failing(box, script), "Operation not permitted");
      assertEquals(copied(), ["soup", 0]);
      inside(lifted, script);
      assertEquals(copied(), ["soup", 0o6000]);
    }
  }),
);
