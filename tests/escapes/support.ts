/**
 * Shared parts of the escape tests. An attack is a program in Perl, which a minimal Debian has: it
 * exits with 0 if it succeeds, and otherwise prints why not. A test first runs it in a sandbox
 * without the protection that stops it, where it must succeed, and then in a complete one.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  bind,
  CAPABILITIES,
  capabilities,
  type CapabilityName,
  chroot,
  type NamespaceKind,
  Recipe,
  recipe,
  sandbox,
  type SandboxOptions,
  type Step,
  unshare,
} from "../../mod.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { inDirectory, root, test } from "../support.ts";

/** A protection of a sandbox: a step, or a part of one. */
export type Protection = keyof typeof LACKING;

const ALL = Object.keys(CAPABILITIES) as CapabilityName[];

/** The steps of a sandbox without a protection. */
const LACKING = {
  "seccomp": without("seccomp"),
  "noNewPrivileges": without("noNewPrivileges"),
  "maskPaths": without("maskPaths"),
  "readonlyPaths": without("readonlyPaths"),
  "remount": without("remount"),
  "newSession": without("newSession"),
  "clearEnv": without("clearEnv"),
  "landlock": without("landlock"),
  "sysctl": without("sysctl"),
  // Programs of root have all capabilities; those of other users keep the given ones.
  "capabilities": instead("capabilities", () => root ? [] : [capabilities({ keep: ALL })]),
  // In a chroot no user namespace can be made.
  "pivotRoot": (steps: readonly Step[]) =>
    instead("pivotRoot", ({ path }) => [chroot(path)])(withoutSecondUser(steps)),
  "readOnly": instead("bind", ({ source, target, readOnly: _, ...options }) => [
    bind(source, target, options),
  ]),
  "untrusted": instead("bind", ({ source, target, untrusted: _, ...options }) => [
    bind(source, target, options),
  ]),
  "nosuid": instead("bind", ({ source, target, ...options }) => [
    bind(source, target, { ...options, restrict: ["nodev"] }),
  ]),
  "the second user namespace": withoutSecondUser,
  "the user namespaces": (steps: readonly Step[]) =>
    withoutKind("user")(withoutSecondUser(steps)).filter(({ step }) =>
      step !== "mapCurrentUser" && step !== "sysctl"
    ),
  "the ipc namespace": withoutKind("ipc"),
  "the cgroup namespace": withoutKind("cgroup"),
  "the net namespace": (steps: readonly Step[]) =>
    withoutKind("net")(steps).filter(({ step }) => step !== "loopback"),
  // The sandbox is assembled at /proc, so /proc is bound elsewhere during that.
  "the pid namespace": (steps: readonly Step[]) =>
    withoutKind("pid")(steps).flatMap((step): Step[] => {
      if (step.step === "hostname") return [step, bind("/proc", "/mnt")];
      if (step.step === "proc") return [bind("/mnt", step.target)];
      return step.step === "init" ? [] : [step];
    }),
} as const satisfies Record<string, (steps: readonly Step[]) => Step[]>;

function without(name: Step["step"]): (steps: readonly Step[]) => Step[] {
  return (steps) => steps.filter(({ step }) => step !== name);
}

function instead<Name extends Step["step"]>(
  name: Name,
  make: (step: Extract<Step, { step: Name }>) => Step[],
): (steps: readonly Step[]) => Step[] {
  return (steps) =>
    steps.flatMap((step) =>
      step.step === name ? make(step as Extract<Step, { step: Name }>) : [step]
    );
}

function withoutKind(kind: NamespaceKind): (steps: readonly Step[]) => Step[] {
  return instead("unshare", ({ kinds }) => {
    const left = kinds.filter((other) => other !== kind);
    return left.length === 0 ? [] : [unshare(...left)];
  });
}

function withoutSecondUser(steps: readonly Step[]): Step[] {
  const second = steps.findIndex((step, index) =>
    index > 0 && step.step === "unshare" && step.kinds.join() === "user"
  );
  return second < 0 ? [...steps] : steps.toSpliced(second, 2);
}

/** Returns the sandbox without some of its protections. */
export function lacking(box: Recipe, ...protections: readonly Protection[]): Recipe {
  return recipe(
    ...protections.reduce<readonly Step[]>((steps, name) => LACKING[name](steps), box.steps),
  );
}

/** A file outside of every sandbox, in the directory that is passed to every attack. */
export const SECRET = "the recipe of the soup";

/** An attack, and the protections that stop it. */
export interface Escape {
  /** The Perl program, which may use the path of a directory of the host with a file `secret`. */
  readonly attack: string | ((directory: string) => string);
  /**
   * The protections that the sandbox must lack for the attack to succeed, each of which alone stops
   * it; or a recipe in which it succeeds.
   */
  readonly lacking: readonly Protection[] | Recipe;
  /** The output of the attack if it is stopped. */
  readonly says: RegExp;
  /** The options of the sandbox. */
  readonly options?: (directory: string) => SandboxOptions;
  /** Why it cannot succeed here even without the protections. */
  readonly harmless?: string | undefined;
  /** Why it is skipped here. */
  readonly skip?: string | undefined;
}

/** A test of an attack. */
export function escape(name: string, escape: Escape): void {
  const { says, harmless } = escape;
  const body = inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/secret`, SECRET);
    const box = sandbox(escape.options?.(directory));
    const attack = typeof escape.attack === "string" ? escape.attack : escape.attack(directory);
    if (harmless === undefined && escape.lacking instanceof Recipe) {
      assertEscapes(escape.lacking, attack);
    } else if (harmless === undefined) {
      assertNeedsAll(box, escape.lacking as readonly Protection[], attack);
    }
    assertStopped(box, attack, says);
  });
  const title = harmless === undefined ? name : `${name} (is not seen to work: ${harmless})`;
  test(title, body, escape.skip);
}

/** The attack succeeds without all of these protections, and each of them alone stops it. */
export function assertNeedsAll(
  box: Recipe,
  protections: readonly Protection[],
  attack: string,
): void {
  assertEscapes(lacking(box, ...protections), attack);
  if (protections.length === 1) return;
  for (const one of protections) {
    const others = protections.filter((other) => other !== one);
    assertStopped(lacking(box, ...others), attack, undefined, `${one} alone`);
  }
}

/** The attack succeeds. */
export function assertEscapes(box: Recipe, attack: string): void {
  const { code, issue } = run(box, attack);
  assertEquals(code, 0, `the attack does not work: ${issue}`);
}

/** The attack fails, with this output. */
export function assertStopped(
  box: Recipe,
  attack: string,
  says: RegExp | undefined,
  what = "the sandbox",
): void {
  const { code, issue } = run(box, attack);
  assert(code !== 0, `the attack works in spite of ${what}`);
  if (says !== undefined) assertMatch(issue, says);
}

const decoder = new TextDecoder();

function run(box: Recipe, attack: string): { code: number; issue: string } {
  const { code, stderr } = box.command("perl", { args: ["-e", program(attack)] }).outputSync();
  return { code, issue: decoder.decode(stderr).trim() };
}

/** Returns the whole program: `call` makes a system call by its name, and dies if it fails. */
export function program(attack: string): string {
  const all = allSyscalls(Deno.build.arch);
  const numbers = [...attack.matchAll(/(?:call|number)\("(\w+)"/g)].map(([, name]) =>
    `${name} => ${all.get(name!) ?? -1}`
  );
  return String.raw`
    use strict; $| = 1;
    my %number = (${numbers.join(", ")});
    sub number { $number{$_[0]} }
    sub call {
      my ($name, @args) = @_;
      my $result = syscall($number{$name}, @args);
      die "$name: $!\n" if $result == -1;
      $result
    }
    sub take { open(my $file, "<", $_[0]) or die "$_[0]: $!\n"; local $/; <$file> }
    sub writable { open(my $file, "+<", $_[0]) or die "$_[0]: $!\n" }
    ${attack}
  `;
}

/** Returns why the attack fails on the host too: this user may not do it, or the kernel cannot. */
export function unknownHere(attack: string): string | undefined {
  const { code, issue } = run(recipe(), attack);
  const unknown =
    /errno 38|not implemented|not supported|not permitted|denied|No such (file|device)/;
  return code !== 0 && unknown.test(issue) ? `here even outside "${issue}"` : undefined;
}
