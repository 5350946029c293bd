/**
 * `ramekin inspect`: what is said of an image.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import type { Image } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { openImage } from "./open_image.ts";
import { layersText, sizeText } from "./image_report.ts";
import { paintFor, print, printJson } from "./output.ts";

/** Shows it. */
export async function run(given: Arguments): Promise<number> {
  await using image = await openImage(given);
  if (given.has("json")) printJson(asJson(image));
  else print(asText(image));
  return 0;
}

function asJson(image: Image): unknown {
  const { name, digest, origin, verified, platform, size, layers, config } = image;
  return { name, digest, origin, verified: verified ?? null, platform, size, layers, config };
}

function asText(image: Image): string {
  const { config, platform, layers } = image;
  const paint = paintFor(Deno.stdout);
  const words = (list: readonly string[]) => list.map((word) => JSON.stringify(word)).join(" ");
  const rows: readonly (readonly [string, string])[] = [
    ["name", image.name],
    ["digest", image.digest],
    ["signed by", image.verified ?? ""],
    ["platform", [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/")],
    ["created", config.created ?? ""],
    ["size", `${sizeText(image.size)} in ${layersText(layers.length)}`],
    ["entry point", words(config.entrypoint)],
    ["command", words(config.cmd)],
    ["user", config.user],
    ["directory", config.workingDir],
    ["stop signal", config.stopSignal ?? ""],
    ["ports", config.exposedPorts.join(" ")],
    ["volumes", config.volumes.join(" ")],
    ...config.env.map((text) => ["variable", text] as const),
    ...Object.entries(config.labels).map(([name, value]) => ["label", `${name}=${value}`] as const),
    ...layers.map(({ digest, size }) => ["layer", `${digest}  ${sizeText(size)}`] as const),
  ];
  return rows.filter(([, text]) => text !== "")
    // An image can say anything, a line that looks like another one too.
    .map(([name, text]) => `${paint("bold", name.padEnd(12))}${escapeControls(text)}`).join("\n");
}
