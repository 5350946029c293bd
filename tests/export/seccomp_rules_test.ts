/** Rules of seccomp that are taken apart: they decide as before, in whatever order. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { apartRules } from "../../export/seccomp_rules.ts";
import { DEFAULT_SECCOMP_PROFILE, type SeccompRule } from "../../mod.ts";
import { denyMore } from "../../recipe/seccomp_denials.ts";
import { test } from "../support.ts";

/** Whether a rule whose conditions all have to hold matches the arguments of a call. */
function matches({ args = [] }: SeccompRule, values: readonly bigint[]): boolean {
  return args.every(({ index, value, valueTwo = 0, op }) => {
    const [mask, expected] = op === "SCMP_CMP_EQ"
      ? [0xffff_ffff_ffff_ffffn, BigInt(value)]
      : [BigInt(value), BigInt(valueTwo)];
    return (values[index]! & mask) === (expected & mask);
  });
}

function actions(rules: readonly SeccompRule[], name: string, values: readonly bigint[]) {
  return rules.filter((rule) => rule.names.includes(name) && matches(rule, values))
    .map(({ action, errnoRet = 1 }) => `${action} ${errnoRet}`);
}

const INTERESTING = [0, 1, 2, 3, 10, 16, 17, 44, 0o4755, 0o2000, 0x5412, 0x541c, 0x7e02_0000]
  .map(BigInt)
  .flatMap((value) => [value, value + 1n, value ^ 0x8000n, value | 0xffff_ffff_0000_0000n])
  .concat(0xffff_ffffn, 0xffff_ffff_ffff_ffffn);

test("the default filter is the same once no two rules are about one case", () => {
  const { syscalls: rules = [] } = denyMore(DEFAULT_SECCOMP_PROFILE, [
    "@setuid-files",
    "@unix-sockets",
  ]);
  const apart = apartRules(rules);
  assert(typeof apart !== "string", String(apart));
  assertLess(apart.length, 600);
  const names = new Set(rules.flatMap(({ names }) => names));
  assertEquals(new Set(apart.flatMap(({ names }) => names)), names);
  const conditional = [...names].filter((name) =>
    rules.some(({ names, args = [] }) => names.includes(name) && args.length > 0)
  );
  assert(["ioctl", "socket", "clone", "chmod"].every((name) => conditional.includes(name)));
  for (const name of conditional) {
    for (const value of INTERESTING) {
      for (const index of [0, 1, 2, 3]) {
        const values = [5n, 5n, 5n, 5n, 5n, 5n].with(index, value);
        const [first] = actions(rules, name, values);
        // One rule at most, so that their order is no matter.
        assertEquals(actions(apart, name, values), first === undefined ? [] : [first], name);
      }
    }
  }
});

test("rules that cannot be told apart are refused, and those of one call each stay", () => {
  const rule = (op: "SCMP_CMP_GT" | "SCMP_CMP_EQ", action: "SCMP_ACT_ALLOW" | "SCMP_ACT_ERRNO") =>
    ({ names: ["ioctl"], action, args: [{ index: 1, op, value: 5 }] }) satisfies SeccompRule;
  const alone = [rule("SCMP_CMP_GT", "SCMP_ACT_ALLOW")];
  assertEquals(apartRules(alone), alone);
  const both = [rule("SCMP_CMP_EQ", "SCMP_ACT_ERRNO"), ...alone];
  assertEquals(
    apartRules(both),
    "the rules for ioctl compare in a way that depends on their order",
  );
});
