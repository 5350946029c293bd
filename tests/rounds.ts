/** How often a test does what it does very often: not quite so, where the machine is emulated. */
export function rounds(count: number): number {
  return Deno.env.has("EMULATED") ? Math.ceil(count / 20) : count;
}
