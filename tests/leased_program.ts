/** A program that nobody can execute for now, so that whoever does hangs. */

import { assertEquals } from "@std/assert";
import { claim } from "./leftovers.ts";
import { decode } from "./other_scripts.ts";

/** fcntl(2): F_SETLEASE, F_WRLCK. */
const TAKE_LEASE = `
  use Fcntl;
  $SIG{IO} = "IGNORE";
  open(my $file, "<", $ARGV[0]) or die "open: $!";
  fcntl($file, 1024, 1) or die "fcntl: $!";
  $| = 1;
  print "taken";
  sleep 1000;`;

/**
 * Runs a body with a program that nobody can execute for now: who has a lease on a file lets all
 * others wait who open it, for /proc/sys/fs/lease-break-time seconds (45, usually).
 */
export async function withLeased(body: (program: string) => void | Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  Deno.chmodSync(directory, 0o755);
  const program = `${directory}/program`;
  Deno.copyFileSync("/bin/true", program);
  Deno.chmodSync(program, 0o755);
  const args = ["-e", TAKE_LEASE, program];
  const holder = new Deno.Command("perl", { args, stdout: "piped" }).spawn();
  claim(holder.pid);
  try {
    const reader = holder.stdout.getReader();
    assertEquals(decode((await reader.read()).value ?? new Uint8Array()), "taken");
    reader.releaseLock();
    await body(program);
  } finally {
    holder.kill("SIGKILL");
    await holder.output();
    Deno.removeSync(directory, { recursive: true });
  }
}
