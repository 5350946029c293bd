/**
 * Charts of what was measured.
 *
 * @module
 */

import { bar, dot, drawing, line, text } from "../scripts/docs/svg.ts";

/** How a row or a point is drawn: Ramekin's own stand out. */
export type Emphasis = "accent" | "warm" | "";

/** A length, with what it stands for. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly label: string;
  readonly emphasis: Emphasis;
}

const LABELS = 380, VALUES = 90, SCALE = 420, ROW = 22, TOP = 46;

/** Bars below one another, all from zero. */
export function bars(title: string, about: string, rows: readonly Bar[]): string {
  const most = Math.max(...rows.map(({ value }) => value));
  return drawing(LABELS + SCALE + VALUES, TOP + rows.length * ROW + 14, about, [
    text(16, 26, title, "strong"),
    ...rows.flatMap(({ name, value, label, emphasis }, index) => {
      const y = TOP + index * ROW;
      const width = Math.max(1, value / most * SCALE);
      return [
        text(LABELS - 10, y + 14, name, "code end"),
        bar({ x: LABELS, y: y + 3, width, height: ROW - 7 }, emphasis),
        text(LABELS + width + 7, y + 14, label, "faint"),
      ];
    }),
  ]);
}

/** Some values of one thing, on a row. */
export interface Dots {
  readonly name: string;
  readonly value: number;
  readonly label: string;
  readonly emphasis: Emphasis;
}

/** A dot for each row, on a scale on which each step is ten times the one before. */
export function dots(
  title: string,
  about: string,
  unit: string,
  groups: readonly { readonly title: string; readonly rows: readonly Dots[] }[],
): string {
  const values = groups.flatMap(({ rows }) => rows.map(({ value }) => value));
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.ceil(Math.log10(Math.max(...values)));
  const names = 260;
  const at = (value: number) => names + (Math.log10(value) - first) / (last - first) * SCALE;
  const shapes: string[] = [text(16, 26, title, "strong")];
  let y = TOP;
  for (const { title, rows } of groups) {
    shapes.push(text(16, y + 14, title, "faint"));
    y += ROW;
    for (const { name, value, label, emphasis } of rows) {
      shapes.push(
        line([[names, y + 10], [names + SCALE, y + 10]], "grid"),
        text(names - 12, y + 14, name, "end"),
        dot(at(value), y + 10, emphasis),
        text(at(value) + 10, y + 6, label, "faint"),
      );
      y += ROW;
    }
    y += 8;
  }
  for (let power = first; power <= last; power++) {
    shapes.push(
      line([[at(10 ** power), y], [at(10 ** power), y + 6]]),
      text(
        at(10 ** power),
        y + 22,
        `${(10 ** power).toLocaleString("en")} ${unit}`,
        "faint middle",
      ),
    );
  }
  shapes.push(line([[names, y], [names + SCALE, y]]));
  return drawing(names + SCALE + VALUES, y + 36, about, shapes);
}

/** A value at each of some counts. */
export interface Curve {
  readonly title: string;
  readonly points: readonly { readonly count: number; readonly value: number }[];
  readonly format: (value: number) => string;
}

/** Curves beside one another, each from zero, over counts that grow tenfold. */
export function curves(title: string, about: string, all: readonly Curve[]): string {
  const width = 360, height = 180, top = 86, gap = 70;
  return drawing(gap + all.length * (width + gap), top + height + 60, about, [
    text(16, 26, title, "strong"),
    ...all.flatMap(({ title, points, format }, index) => {
      const left = gap + index * (width + gap);
      const most = Math.max(...points.map(({ value }) => value)) * 1.15;
      const logs = points.map(({ count }) => Math.log10(count));
      const span = Math.max(...logs) - Math.min(...logs) || 1;
      const places = points.map(({ value }, point) =>
        [
          left + 20 + (logs[point]! - Math.min(...logs)) / span * (width - 40),
          top + height - value / most * height,
        ] as const
      );
      return [
        text(left, top - 20, title),
        line([[left, top], [left, top + height], [left + width, top + height]]),
        line(places, "accent"),
        ...points.flatMap(({ count, value }, point) => {
          const [x, y] = places[point]!;
          return [
            dot(x, y, "accent"),
            text(x, y - 10, format(value), "faint middle"),
            text(x, top + height + 18, String(count), "faint middle"),
          ];
        }),
        text(left + width / 2, top + height + 38, "containers alive at once", "faint middle"),
      ];
    }),
  ]);
}
