/** Attacks on the terminal that the script has passed to a sandbox. */

import { root } from "../support.ts";
import type { Protection } from "./support.ts";

/** An attack on the terminal at the standard input. */
export interface TerminalAttack {
  readonly name: string;
  readonly attack: string;
  /** The protections that the sandbox must lack; each alone stops the attack. */
  readonly needs: readonly Protection[];
  readonly says: RegExp;
  /** Whether its success cannot be observed for this user. */
  readonly harmless?: boolean;
}

/** The attacks; the last one makes the terminal unusable. */
export const TERMINAL_ATTACKS: readonly TerminalAttack[] = [
  {
    name: "TIOCSTI, which types for the script's user",
    attack: String.raw`my $typed = "x"; call("ioctl", 0, 0x5412, $typed)`,
    needs: ["seccomp", "newSession"],
    says: /Operation not permitted/,
  },
  {
    name: "TIOCSTI, with bits where the kernel does not look (CVE-2019-10063)",
    attack: String.raw`my $typed = "x"; call("ioctl", 0, 0x700005412, $typed)`,
    needs: ["seccomp", "newSession"],
    says: /Operation not permitted/,
  },
  {
    // Only a console supports it; another terminal returns an error unless the call is denied
    // before.
    name: "TIOCLINUX, which pastes on a console",
    attack: String.raw`
      my $paste = "\3";
      syscall(number("ioctl"), 0, 0x541c, $paste) == 0 or $!{ENOTTY} or die "ioctl: $!\n";
    `,
    needs: ["seccomp"],
    says: /Operation not permitted/,
  },
  {
    name: "the script's controlling terminal, by /dev/tty",
    attack: String.raw`open(my $terminal, "+<", "/dev/tty") or die "/dev/tty: $!\n"`,
    needs: ["newSession"],
    says: /No such device/,
  },
  {
    name: "stealing the terminal from the script's session",
    attack: String.raw`
      my $pid = fork;
      if ($pid == 0) { call("setsid"); call("ioctl", 0, 0x540e, 1); exit 0 }
      waitpid($pid, 0);
      exit($? >> 8);
    `,
    needs: ["capabilities", "the user namespaces"],
    says: /Operation not permitted/,
    harmless: !root,
  },
];
