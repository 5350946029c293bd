/**
 * Private methods of a class that are called and nothing else, so that each may as well be a
 * function that is called with its object.
 *
 * @module
 */

import type { AnyNode, CallExpression, ClassBody, MethodDefinition } from "acorn";
import { children } from "./functions.ts";

/** A private method, and all its calls. */
export interface PrivateMethod {
  readonly member: MethodDefinition;
  readonly calls: readonly CallExpression[];
}

/** Returns those methods of a class. */
export function privateMethods(body: ClassBody): readonly PrivateMethod[] {
  const members = body.body.filter((member) => member.type === "MethodDefinition");
  const calls = [...callsIn(body)];
  return members.flatMap((member) => {
    const { key, kind } = member;
    if (key.type !== "PrivateIdentifier" || kind !== "method") return [];
    const own = calls.filter(({ name }) => name === key.name).map(({ call }) => call);
    // Beside its definition, each place with its name has to be a call.
    return places(body, key.name) === own.length + 1 ? [{ member, calls: own }] : [];
  });
}

/** Yields the calls of private methods in a node: `object.#name(...)`. */
function* callsIn(node: AnyNode): Generator<{ name: string; call: CallExpression }> {
  // `object?.#name()` is no call where there is no object.
  if (node.type === "ChainExpression") return;
  if (node.type === "CallExpression" && node.callee.type === "MemberExpression") {
    const { property } = node.callee;
    if (property.type === "PrivateIdentifier") yield { name: property.name, call: node };
  }
  for (const child of children(node)) yield* callsIn(child);
}

/** How often a private name stands in a node; classes within it may have the same name. */
function places(node: AnyNode, name: string): number {
  if (node.type === "PrivateIdentifier") return node.name === name ? 1 : 0;
  return children(node).reduce((count, child) => count + places(child, name), 0);
}
