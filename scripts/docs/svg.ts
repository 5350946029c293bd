/**
 * Shapes of a drawing, as SVG that can be read on light and on dark pages.
 *
 * @module
 */

/** Where a shape is, and how large. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const LIGHT = {
  paper: "#ffffff",
  soft: "#f2f4f7",
  ink: "#1f2328",
  faint: "#59636e",
  line: "#8c959f",
  accent: "#0969da",
  warm: "#bc4c00",
} as const;

const DARK: Readonly<Record<keyof typeof LIGHT, string>> = {
  paper: "#0d1117",
  soft: "#1b222c",
  ink: "#e6edf3",
  faint: "#9198a1",
  line: "#6e7681",
  accent: "#4493f8",
  warm: "#f0883e",
};

/** The colours of all shapes: said outright, as not every program that shows SVG has variables. */
function colours(of: typeof DARK): string {
  return `text { fill: ${of.ink}; }
.faint { fill: ${of.faint}; }
.paper { fill: ${of.paper}; }
.box { fill: ${of.soft}; stroke: ${of.line}; }
.accent { stroke: ${of.accent}; }
.warm { stroke: ${of.warm}; }
.line { stroke: ${of.ink}; }
.grid { stroke: ${of.line}; }
.head { fill: ${of.ink}; }
.bar { fill: ${of.line}; }
.bar.accent { fill: ${of.accent}; }
.bar.warm { fill: ${of.warm}; }`;
}

/** A drawing: its size, what it shows in words, and its shapes. */
export function drawing(
  width: number,
  height: number,
  about: string,
  shapes: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(about)}</title>
<style>
svg { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; }
.strong { font-weight: 600; }
.faint { font-size: 12px; }
.code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12px; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.line { fill: none; stroke-width: 1.5; }
.grid { stroke-width: 0.5; }
.dashed { stroke-dasharray: 5 4; }
.accent, .warm { stroke-width: 2; }
${colours(LIGHT)}
@media (prefers-color-scheme: dark) {
${colours(DARK)}
}
</style>
<defs>
<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
<path d="M0,0 L8,4 L0,8 z" class="head"/>
</marker>
</defs>
<rect width="${width}" height="${height}" class="paper"/>
${shapes.join("\n")}
</svg>
`;
}

/** A box with a title, and lines below it. */
export function box(
  { x, y, width, height }: Place,
  title: string,
  lines: readonly string[] = [],
  style = "",
): string {
  const middle = x + width / 2;
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="5" class="${
      `box ${style}`.trim()
    }"/>`,
    ...(title === "" ? [] : [text(middle, y + 22, title, "middle strong")]),
    ...lines.map((line, index) => text(middle, y + 42 + index * 17, line, "middle faint")),
  ].join("\n");
}

/** A bar of a chart. */
export function bar({ x, y, width, height }: Place, style = ""): string {
  const size = `width="${width.toFixed(1)}" height="${height}"`;
  return `<rect x="${x}" y="${y}" ${size} class="${`bar ${style}`.trim()}"/>`;
}

/** A dot of a chart. */
export function dot(x: number, y: number, style = ""): string {
  return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="5" class="${
    `bar ${style}`.trim()
  }"/>`;
}

/** A line of text that begins at a place, or has its middle there. */
export function text(x: number, y: number, words: string, style = ""): string {
  const attributes = style === "" ? "" : ` class="${style}"`;
  return `<text x="${x}" y="${y}"${attributes}>${escaped(words)}</text>`;
}

/** An arrow along these points. */
export function arrow(points: readonly (readonly [x: number, y: number])[], style = ""): string {
  const path = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x},${y}`).join(" ");
  return `<path d="${path}" class="${`line ${style}`.trim()}" marker-end="url(#head)"/>`;
}

/** A line without a head. */
export function line(points: readonly (readonly [x: number, y: number])[], style = ""): string {
  const path = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x},${y}`).join(" ");
  return `<path d="${path}" class="${`line ${style}`.trim()}"/>`;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
