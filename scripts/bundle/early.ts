/**
 * Has V8 compile functions when it loads the file, and not when they are first called. Deno keeps
 * what has been compiled then, and no more (its code cache), so that a later process parses nothing
 * of them.
 *
 * V8 compiles a function with its file where it stands in parentheses, as one that is called at
 * once does. The meaning of the file stays:
 *
 * - `(() => 1)` is what it was;
 * - `function f() {}` becomes `var f = (function f() {});` at the head of the file, as a declaration
 *   is valid from there;
 * - `class { m() {} }` becomes `class { static { addMethods(this.prototype, { m: (function () {}) }) } }`,
 *   where private names are known too;
 * - `class { get m() {} }` likewise, by `addGetters`;
 * - `class { #m() {} }` becomes `class { static { m$0 = (function () {}) } }`, and `this.#m()` becomes
 *   `m$0.call(this)`.
 *
 * @module
 */

import type {
  AnyNode,
  CallExpression,
  ClassBody,
  FunctionExpression,
  MemberExpression,
  MethodDefinition,
  PrivateIdentifier,
  Property,
} from "acorn";
import { children, functionsOf, programOf } from "./functions.ts";
import { privateMethods } from "./private_methods.ts";

/** Adds methods and getters to a class as its own would be. */
const ADD_METHODS = `var addMethods = (function (target, methods) {
  for (const name in methods) {
    const value = methods[name];
    Object.defineProperty(target, name, { value, writable: true, configurable: true });
  }
});
var addGetters = (function (target, getters) {
  for (const name in getters) {
    Object.defineProperty(target, name, { get: getters[name], configurable: true });
  }
});
`;

/** The bundle, with these functions compiled when it is loaded. */
export function compileEarly(source: string, isWanted: (name: string) => boolean): string {
  const program = programOf(source);
  const wanted = functionsOf(program, source).filter(({ name }) => isWanted(name));
  return new Writer(source, new Set<AnyNode>(wanted.map(({ node }) => node))).file(program.body);
}

/** Writes a file anew. */
class Writer {
  readonly #source: string;
  readonly #wanted: ReadonlySet<AnyNode>;
  /** The names of the functions that these calls of private methods now call. */
  readonly #functionOf = new Map<CallExpression, string>();
  #count = 0;

  constructor(source: string, wanted: ReadonlySet<AnyNode>) {
    this.#source = source;
    this.#wanted = wanted;
  }

  file(statements: readonly AnyNode[]): string {
    const head: string[] = [];
    const rest = this.#range(0, this.#source.length, statements, (statement) => {
      if (statement.type !== "FunctionDeclaration" || !this.#wanted.has(statement)) {
        return this.#text(statement);
      }
      head.push(`var ${statement.id!.name} = (${this.#inner(statement)});\n`);
      return "";
    });
    const names = [...new Set(this.#functionOf.values())].map((name) => `var ${name};\n`);
    return ADD_METHODS + names.join("") + head.join("") + rest;
  }

  #text(node: AnyNode): string {
    // An async arrow function is compiled late in any case.
    if (node.type === "ArrowFunctionExpression" && this.#wanted.has(node) && !node.async) {
      return `(${this.#inner(node)})`;
    }
    if (node.type === "Property" && node.method && this.#canMove(node)) return this.#member(node);
    if (node.type === "CallExpression") {
      const name = this.#functionOf.get(node);
      if (name !== undefined) return this.#callOf(name, node);
    }
    return node.type === "ClassBody" ? this.#classBody(node) : this.#inner(node);
  }

  /** A class, its wanted methods first: what is static in it may call them. */
  #classBody(node: ClassBody): string {
    const hidden = privateMethods(node).filter(({ member }) => this.#canMove(member));
    const names = hidden.map(({ member, calls }) => {
      const name = `${(member.key as PrivateIdentifier).name}$${this.#count++}`;
      for (const call of calls) this.#functionOf.set(call, name);
      return name;
    });
    const functions = hidden.map(({ member: { value } }, index) =>
      `  static {\n    ${names[index]} = ${this.#asFunction(value)};\n  }\n`
    );
    const moved = node.body.filter((member): member is MethodDefinition =>
      member.type === "MethodDefinition" && (member.kind === "method" || member.kind === "get") &&
      member.key.type !== "PrivateIdentifier" && this.#canMove(member)
    );
    const added = (["method", "get"] as const).flatMap((kind) =>
      [false, true].map((isStatic) => {
        const members = moved.filter((one) => one.static === isStatic && one.kind === kind);
        if (members.length === 0) return "";
        const add = kind === "get" ? "addGetters" : "addMethods";
        const target = isStatic ? "this" : "this.prototype";
        const texts = members.map((member) => this.#member(member));
        return `  static {\n    ${add}(${target}, {\n    ${texts.join(",\n    ")}\n    });\n  }\n`;
      })
    );
    const rest = this.#range(
      node.start + 1,
      node.end,
      node.body,
      (member) =>
        moved.some((one) => one === member) || hidden.some((one) => one.member === member)
          ? ""
          : this.#text(member),
    );
    return `{\n${added.join("")}${functions.join("")}${rest}`;
  }

  /** Whether a method may as well be a function. */
  #canMove({ computed, value }: MethodDefinition | Property): boolean {
    return this.#wanted.has(value) && !computed && !usesSuper(value);
  }

  #member({ key, value }: MethodDefinition | Property): string {
    return `${this.#inner(key)}: ${this.#asFunction(value as FunctionExpression)}`;
  }

  /** What is behind the name of a method, as a function. */
  #asFunction(value: FunctionExpression): string {
    const words = `${value.async ? "async " : ""}function${value.generator ? "*" : ""}`;
    return `(${words} ${this.#inner(value)})`;
  }

  /** The call of a private method, as one of a function. */
  #callOf(name: string, { callee, arguments: args }: CallExpression): string {
    const object = (callee as MemberExpression).object;
    return `${name}.call(${[object, ...args].map((node) => this.#text(node)).join(", ")})`;
  }

  /** What a node consists of. */
  #inner(node: AnyNode): string {
    return this.#range(node.start, node.end, children(node), (child) => this.#text(child));
  }

  /** A part of the file, with other texts for the nodes in it. */
  #range(
    start: number,
    end: number,
    nodes: readonly AnyNode[],
    textOf: (node: AnyNode) => string,
  ): string {
    let text = "";
    for (const node of nodes) {
      // The key and the value of `{ name }` are one.
      if (node.start < start) continue;
      text += this.#source.slice(start, node.start) + textOf(node);
      start = node.end;
    }
    return text + this.#source.slice(start, end);
  }
}

/** Whether the function uses the `super` of its method, and not one that classes within it have. */
function usesSuper(node: AnyNode): boolean {
  return node.type === "Super" ||
    children(node).some((child) => child.type !== "ClassBody" && usesSuper(child));
}
