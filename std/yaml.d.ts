/** The part of `@std/yaml` that this project uses. */

export interface StringifyOptions {
  /** The width at which a text is folded; -1 for none. */
  readonly lineWidth?: number;
  /** Whether what is there twice is written once, with a name. */
  readonly useAnchors?: boolean;
}

export function stringify(data: unknown, options?: StringifyOptions): string;
