/** One tree, in archives of the tars that there are. */

import { assert, assertEquals } from "@std/assert";
import { root, test } from "../../support.ts";
import { Kitchen } from "./archives.ts";

const decoder = new TextDecoder();
const LONG = "long-".repeat(20);

function sh(script: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command("sh", {
    args: ["-euc", script, "sh", ...args],
  })
    .outputSync();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

function has(program: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" })
    .outputSync().success;
}

/** What is made with a tar: `$1` is the tree, and the archive goes to the standard output. */
interface Maker {
  readonly name: string;
  readonly program: string;
  readonly script: string;
  /** What its format has no room for. */
  readonly lacks?: readonly ("long" | "early" | "fractions" | "fifo" | "ids")[];
}

const tar = (options: string, lacks: Maker["lacks"] = []): Maker => ({
  name: `GNU tar ${options}`,
  program: "tar",
  script: `tar -C "$1" ${options} -cf - .`,
  lacks,
});
const bsdtar = (format: string, lacks: Maker["lacks"] = []): Maker => ({
  name: `bsdtar ${format}`,
  program: "bsdtar",
  script: `bsdtar -C "$1" --format=${format} -cf - .`,
  lacks,
});
const python = (format: string, lacks: Maker["lacks"] = []): Maker => ({
  name: `Python ${format}`,
  program: "python3",
  script: `cd "$1"; python3 -c '
import tarfile, sys
archive = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.${format}_FORMAT)
archive.add(".")
archive.close()'`,
  lacks,
});

const MAKERS: readonly Maker[] = [
  tar("--format=gnu", ["fractions"]),
  tar("--format=gnu -S", ["fractions"]),
  tar("--format=oldgnu", ["fractions"]),
  tar("--format=pax"),
  tar("--format=pax -S --sparse-version=0.0"),
  tar("--format=pax -S --sparse-version=0.1"),
  tar("--format=pax -S --sparse-version=1.0"),
  tar("--format=pax --xattrs --acls"),
  tar("--format=ustar", ["long", "early", "fractions"]),
  tar("--format=v7", ["long", "early", "fractions", "fifo"]),
  bsdtar("pax"),
  bsdtar("gnutar", ["early", "fractions"]),
  bsdtar("ustar", ["long", "early", "fractions", "ids"]),
  python("PAX"),
  python("GNU", ["fractions"]),
  python("USTAR", ["long", "early", "fractions"]),
  {
    name: "busybox",
    program: "busybox",
    script: `busybox tar -C "$1" -cf - .`,
    lacks: ["early", "fractions"],
  },
];

/** The tree, with what the format has room for. */
function makeTree(directory: string, lacks: readonly string[]): void {
  sh(
    `
    mkdir -p "$1/d/sub"; cd "$1"
    printf 'some text' >d/file; head -c 5000 /dev/urandom >d/sub/random; : >empty
    ln d/file d/hard; ln -s ../elsewhere d/link; ln -s "$2" absolute
    truncate -s 3M sparse; printf tail >>sparse
    printf middle | dd of=sparse bs=1 seek=1000000 conv=notrunc status=none
    chmod $5 d/file; chmod 1777 d/sub
    case $3 in *fifo*) ;; *) mkfifo pipe ;; esac
    case $3 in *long*) ;; *) mkdir -p "$4/$4"; echo x >"$4/$4/file"; ln -s "$4" d/to-long ;; esac
    early=-12345.5 late=1234567890.125
    case $3 in *fractions*) early=-12345 late=1234567890 ;; esac
    case $3 in *early*) early=12345 ;; esac
    find . -mindepth 1 -exec touch -h -d "@$late" {} +
    touch -d "@$early" d/file d
    touch -d "@$late" .
    `,
    directory,
    "/etc/hostname",
    lacks.join(),
    LONG,
    // With one id, setuid is kept of root's files only.
    root ? "4751" : "751",
  );
  if (root && !lacks.includes("ids")) {
    sh(`cd "$1"; chown -h 2000000:1900000 empty absolute; chmod 6755 empty`, directory);
  }
}

/** All that is known of the files of a tree, a line each. */
function listing(directory: string): string[] {
  const text = sh(
    `cd "$1"; find . -printf '%p %y %m %U:%G %s %T@ %n %l\\n' | sort
     find . -type f | sort | xargs -d '\\n' cksum`,
    directory,
  );
  // Filesystems differ in the size of a directory.
  return text.trimEnd().split("\n").map((line) => line.replace(/( d \d+ \S+) \d+/, "$1"));
}

for (const { name, program, script, lacks = [] } of MAKERS) {
  test(`an archive of ${name} is the tree that it was made of`, async () => {
    using kitchen = new Kitchen();
    const tree = `${kitchen.directory}/tree`;
    makeTree(tree, lacks);
    const path = `${kitchen.directory}/archive`;
    sh(`{ ${script}; } >"$2"`, tree, path);
    const { leftOut } = await kitchen.unpackLayers([kitchen.layer(Deno.readFileSync(path))]);
    assertEquals(leftOut, []);
    assertEquals(listing(kitchen.root), listing(tree));
  }, has(program) ? undefined : `needs ${program}`);
}
