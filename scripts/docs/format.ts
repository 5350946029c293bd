/**
 * What scripts write into the documentation, as `deno fmt` would have it.
 *
 * @module
 */

/** The text of a page or of a drawing, formatted as the project is. */
export async function formatted(text: string, kind: "md" | "svg" = "md"): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", `--ext=${kind}`, "-"],
    cwd: new URL("../..", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("deno fmt does not take the text");
  return new TextDecoder().decode(stdout);
}

/** A table in Markdown: the first column to the left, the others to the right. */
export function markdownTable(
  heading: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    line(heading),
    line(heading.map((_, column) => column === 0 ? "---" : "---:")),
    ...rows.map(line),
  ].join("\n");
}
