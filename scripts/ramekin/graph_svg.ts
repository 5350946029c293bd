/**
 * Draws the graph of a recipe.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import { NAMESPACE_KINDS } from "../../host.ts";
import { describeAccess } from "../../mod.ts";
import type { NamespaceOwner } from "../../mod.ts";
import type { Graph, GraphMount } from "./graph.ts";

const WIDTH = 900;
const ROW = 34;
const MARGIN = 24;
/** Where the boxes of the host and of the container begin, and how wide they are. */
const COLUMN = { host: MARGIN, container: 490, width: 386 } as const;

const OWNERS: Readonly<Record<NamespaceOwner, string>> = {
  own: "its own",
  joined: "joined",
  host: "the host's",
};

/** The graph as SVG. */
export function drawGraph(graph: Graph, title: string): string {
  const { namespaces, mounts, needs } = graph;
  const parts: string[] = [];
  let y = MARGIN + 20;
  const heading = (text: string, x: number = MARGIN) => parts.push(label(x, y, text, "heading"));

  heading(title);
  y += 16;
  const width = (WIDTH - 2 * MARGIN) / NAMESPACE_KINDS.length;
  NAMESPACE_KINDS.forEach((kind, index) => {
    const x = MARGIN + index * width;
    const owner = namespaces[kind];
    parts.push(box(x, y, width - 8, 44, owner));
    parts.push(label(x + 10, y + 18, kind, "name"));
    parts.push(label(x + 10, y + 35, OWNERS[owner], "small"));
  });

  y += 84;
  heading("the host's files");
  heading("where the container sees them", COLUMN.container);
  y += 12;
  for (const mount of mounts) {
    const sources = mount.sources.length > 0 ? mount.sources : [undefined];
    const middle = y + (sources.length * ROW - 8) / 2;
    sources.forEach((source, index) => {
      if (source === undefined) return;
      const top = y + index * ROW;
      parts.push(box(COLUMN.host, top, COLUMN.width, ROW - 8, "host"));
      parts.push(label(COLUMN.host + 10, top + 18, fitted(source.path), "name"));
      const [from, to] = [COLUMN.host + COLUMN.width, COLUMN.container];
      const way = source.changes ? "write" : "read";
      parts.push(
        `<path class="way ${way}" d="M${from} ${top + 13} L${to - 4} ${middle}" ` +
          `marker-end="url(#${way})"/>`,
      );
    });
    parts.push(
      box(
        COLUMN.container,
        middle - 13,
        COLUMN.width,
        ROW - 8,
        isOwn(mount) ? "own" : "host",
      ),
      label(COLUMN.container + 10, middle + 5, fitted(mount.target), "name"),
      label(COLUMN.container + COLUMN.width - 10, middle + 5, noteOf(mount), "small end"),
    );
    y += sources.length * ROW;
  }

  y += 36;
  heading("what it needs of this machine");
  for (const text of needs.length > 0 ? needs.map(describeAccess) : ["nothing"]) {
    y += 20;
    parts.push(label(MARGIN, y, fitted(text, 110), "need"));
  }
  return frame(y + MARGIN, title, parts);
}

function isOwn({ sources }: GraphMount): boolean {
  return sources.length === 0;
}

function noteOf({ type, readOnly }: GraphMount): string {
  return [type, readOnly ? "read-only" : undefined].filter(Boolean).join(", ");
}

function box(x: number, y: number, width: number, height: number, look: string): string {
  return `<rect class="${look}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`;
}

function label(x: number, y: number, text: string, look: string): string {
  return `<text class="${look}" x="${x}" y="${y}">${escaped(text)}</text>`;
}

/** The text, with its middle left out where it would not fit. */
function fitted(text: string, letters = 34): string {
  if (text.length <= letters) return text;
  const half = Math.floor((letters - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}

function escaped(text: string): string {
  return escapeControls(text).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function frame(height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" \
viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escaped(title)}</title>
<style>
  svg { background: #fff; font: 14px ui-monospace, monospace; }
  text { fill: #222; } .heading { font-weight: bold; } .small { font-size: 11px; fill: #555; }
  .end { text-anchor: end; } rect { stroke-width: 1.5; }
  .own { fill: #e6f4ea; stroke: #2e7d46; } .host { fill: #fdf0e0; stroke: #b26a12; }
  .others { fill: #e5eefb; stroke: #2b62b3; }
  .way { stroke-width: 1.5; fill: none; } .way.read { stroke: #2e7d46; }
  .way.write { stroke: #b3261e; }
</style>
<defs>${marker("read", "#2e7d46")}${marker("write", "#b3261e")}</defs>
${parts.join("\n")}
</svg>
`;
}

function marker(id: string, colour: string): string {
  return `<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" \
markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="${colour}"/></marker>`;
}
