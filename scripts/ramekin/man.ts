/**
 * `ramekin man`: writes manual pages, from the same table as the help. See man(7).
 *
 * @module
 */

import { nearest } from "../../recipe/nearest.ts";
import { COMMON_FLAGS } from "./arguments.ts";
import type { Arguments } from "./arguments.ts";
import { usageLine } from "./help.ts";
import { print } from "./output.ts";
import { type KnownSubcommand, SUBCOMMANDS } from "./subcommands.ts";
import { flagText, UsageError } from "./usage.ts";
import { VERSION } from "./version.ts";

/** Writes the page of the program, or of a subcommand. */
export function run(given: Arguments): number {
  const [name] = given.operands;
  print(name === undefined ? programPage() : subcommandPage(find(name)));
  return 0;
}

function find(name: string): KnownSubcommand {
  const found = SUBCOMMANDS.find((subcommand) => subcommand.name === name);
  if (found !== undefined) return found;
  const near = nearest(name, SUBCOMMANDS.map(({ name }) => name));
  throw new UsageError(
    `there is no subcommand "${name}"` + (near === undefined ? "" : `; did you mean ${near}?`),
  );
}

/** The page ramekin(1). */
export function programPage(): string {
  return [
    ...head("ramekin", "run programs in containers, made of recipes"),
    ".SH SYNOPSIS",
    line("ramekin SUBCOMMAND ..."),
    ".SH SUBCOMMANDS",
    ...SUBCOMMANDS.flatMap(({ name, summary }) => term(`ramekin-${name}(1)`, summary)),
    ".SH SEE ALSO",
    line("namespaces(7), cgroups(7), user_namespaces(7)"),
  ].join("\n");
}

/** The page of a subcommand. */
export function subcommandPage(subcommand: KnownSubcommand): string {
  const { name, summary, more, flags } = subcommand;
  const shown = [...flags, ...COMMON_FLAGS].filter(({ hidden }) => hidden !== true);
  return [
    ...head(`ramekin-${name}`, summary),
    ".SH SYNOPSIS",
    line(usageLine(subcommand)),
    ...(more === undefined ? [] : [".SH DESCRIPTION", ...more.split("\n").flatMap(paragraph)]),
    ".SH OPTIONS",
    ...shown.flatMap((flag) =>
      term(flagText(flag) + (flag.repeated === true ? " ..." : ""), flag.summary)
    ),
    ".SH SEE ALSO",
    line("ramekin(1)"),
  ].join("\n");
}

function head(name: string, summary: string): string[] {
  return [
    `.TH ${escaped(name.toUpperCase())} 1 "" "ramekin ${escaped(VERSION)}" "User Commands"`,
    ".SH NAME",
    line(`${name} - ${summary}`),
  ];
}

function paragraph(text: string): string[] {
  return text === "" ? [".PP"] : [line(text), ".br"];
}

function term(name: string, text: string): string[] {
  return [".TP", `\\fB${escaped(name)}\\fR`, line(text)];
}

/** A line of text: one that begins as a request does is none. */
function line(text: string): string {
  return escaped(text).replace(/^(?=[.'])/, "\\&");
}

/** Text as roff has it: its hyphens are those that are typed. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}
