/**
 * The functions of a bundle, by names that hold while the project changes elsewhere:
 * `plan/lowering.ts/lower`, `container/command.ts/Command/#plan`, `.../lower/0` for the first one
 * within that, and `plan/lowering.ts/` for the module itself, where it is loaded later.
 *
 * @module
 */

import {
  type AnonymousFunctionDeclaration,
  type AnyNode,
  type ArrowFunctionExpression,
  type FunctionDeclaration,
  type FunctionExpression,
  type MethodDefinition,
  parse,
  type Program,
} from "acorn";

/** A function, however it is written; a method's is the value of the method. */
export type FunctionNode =
  | FunctionDeclaration
  | AnonymousFunctionDeclaration
  | FunctionExpression
  | ArrowFunctionExpression;

/** A function of a bundle. */
export interface BundledFunction {
  readonly name: string;
  readonly node: FunctionNode;
  /** Where it begins for V8: behind its name. */
  readonly begin: number;
}

/** The syntax of a bundle. */
export function programOf(source: string): Program {
  return parse(source, { ecmaVersion: "latest", sourceType: "module" });
}

/** All functions of a bundle, the outer ones before the inner ones. */
export function functionsOf(program: Program, source: string): readonly BundledFunction[] {
  // The bundler writes the path of each module above its part.
  const modules = [...source.matchAll(/^\/\/ (\S+\.[jt]s)$/gm)];
  return program.body.flatMap((statement) => {
    const module = modules.findLast(({ index }) => index < statement.start)?.[1] ?? "";
    return [
      ...within(statement, undefined, { module, name: module, count: 0, isInFunction: false }),
    ]
      .map((one) => ({ ...one, begin: beginOf(one.node, source) }));
  });
}

type Found = Omit<BundledFunction, "begin">;

/** Yields the functions in a node; those without names are numbered in what is around them. */
function* within(
  node: AnyNode,
  parent: AnyNode | undefined,
  path: Path,
): Generator<Found> {
  if (isFunction(node)) {
    if (isModule(node, parent)) {
      yield { name: `${path.module}/`, node };
      path = { ...path, name: path.module, count: 0 };
    } else {
      const name = `${path.name}/${nameOf(node, parent) ?? path.count++}`;
      yield { name, node };
      path = { ...path, name, count: 0, isInFunction: true };
    }
  } else {
    const name = path.isInFunction ? undefined : nameOfValue(node);
    if (name !== undefined) path = { ...path, name: `${path.name}/${name}`, count: 0 };
  }
  for (const child of children(node)) yield* within(child, node, path);
}

/** What the functions in a node are called after. */
interface Path {
  readonly module: string;
  readonly name: string;
  readonly isInFunction: boolean;
  /** How many of them have no name. */
  count: number;
}

/** Whether the bundler has made it of a module that is loaded later: `"a.ts"() {}`. */
function isModule(node: FunctionNode, parent: AnyNode | undefined): boolean {
  return parent?.type === "Property" && parent.value === node && parent.method &&
    parent.key.type === "Literal";
}

/** What a class or a value of a module is called, where it is one. */
function nameOfValue(node: AnyNode): string | undefined {
  const target = node.type === "VariableDeclarator"
    ? node.id
    : node.type === "AssignmentExpression"
    ? node.left
    : undefined;
  return target?.type === "Identifier" ? withoutNumber(target.name) : undefined;
}

/** The name without the number by which the bundler tells equal ones apart. */
function withoutNumber(name: string): string {
  return name.replace(/\d+$/, "");
}

function isFunction(node: AnyNode): node is FunctionNode {
  return node.type === "FunctionDeclaration" || node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression";
}

/** The nodes that a node consists of, in their order. */
export function children(node: AnyNode): readonly AnyNode[] {
  return Object.values(node).flat()
    .filter((value): value is AnyNode => typeof value?.type === "string")
    .sort((one, other) => one.start - other.start);
}

function nameOf(node: FunctionNode, parent: AnyNode | undefined): string | undefined {
  if (node.id) return withoutNumber(node.id.name);
  if (parent?.type !== "MethodDefinition" || parent.computed) return undefined;
  return (parent.kind === "method" ? "" : `${parent.kind} `) + keyOf(parent);
}

/** The key of a method that has a plain one. */
function keyOf({ key }: MethodDefinition): string {
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  return key.type === "Identifier" ? key.name : String((key as { value?: unknown }).value);
}

function beginOf(node: FunctionNode, source: string): number {
  return node.type === "ArrowFunctionExpression"
    ? node.start
    : source.indexOf("(", node.id?.end ?? node.start);
}
